// Makes a table of tracks editable: a button that plays the whole playlist, buttons that steer the playlist
// by a track, keep or remove it, and a menu with more actions.

function editButtons(data, track, act) {
  const node = element("div", "actions edits")
  const does = (action, said = "") => () => act({ action, track: track.id }, said)
  for (const { name, label } of data.edits) {
    if (name === "remove" && track.fixed) continue
    const named = `${label}: ${track.title}`
    const button = iconButton("choose", name, named, does(name, name === "why" ? "" : named))
    button.title = label
    if (name !== "why") button.classList.add("wide")
    if (name === "pin") button.setAttribute("aria-pressed", String(Boolean(track.pinned)))
    node.append(button)
  }
  node.append(menu(data, track, does))
  return node
}

// A menu following the WAI-ARIA pattern: arrow keys move through it, Escape closes it. In a narrow list, as on
// a phone, it has the edits as well.
function menu(data, track, does) {
  const node = element("div", "more")
  const list = element("div", "menu")
  list.setAttribute("role", "menu")
  list.setAttribute("aria-label", `More for ${track.title}`)
  list.hidden = true
  const opener = iconButton("choose", "menu", `More: ${track.title}`, () => open(list.hidden))
  opener.title = "More"
  opener.setAttribute("aria-haspopup", "menu")
  const edits = data.edits.filter(({ name }) => name !== "why" && !(name === "remove" && track.fixed))
  const item = ({ name, label }, said, className = "") => {
    const made = element("button", `item-of-menu ${className}`)
    made.type = "button"
    made.setAttribute("role", "menuitem")
    made.tabIndex = -1
    made.append(icon(name), document.createTextNode(name === "pin" && track.pinned ? "Don't keep" : label))
    made.addEventListener("click", () => {
      open(false)
      // An edit leaves the row where it is, mostly, and the focus with it.
      if (said) opener.focus()
      does(name, said)()
    })
    return made
  }
  const made = [
    ...edits.map((edit) => item(edit, `${edit.label}: ${track.title}`, "narrow")),
    ...data.actions.map((action) => item(action, "")),
  ]
  const seen = () => made.filter((one) => one.offsetParent)
  const open = (wanted) => {
    list.hidden = !wanted
    opener.setAttribute("aria-expanded", String(wanted))
    if (!wanted) return
    // Above the button where what is at the foot of the page would hide the menu.
    list.classList.remove("above")
    list.classList.toggle("above", list.getBoundingClientRect().bottom > window.innerHeight - 124)
    seen()[0]?.focus()
  }
  open(false)
  node.addEventListener("focusout", (event) => { if (!node.contains(event.relatedTarget)) open(false) })
  node.addEventListener("keydown", (event) => {
    const items = seen()
    const at = items.indexOf(event.target)
    if (event.key === "Escape" && !list.hidden) { open(false); opener.focus() }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) open(true)
      else items.at((at + (event.key === "ArrowDown" ? 1 : -1)) % items.length).focus()
    } else return
    event.preventDefault()
    event.stopPropagation()
  })
  list.append(...made)
  if (track.licence) list.append(element("div", "licence", `Licence: ${track.licence}`))
  node.append(opener, list)
  return node
}

// Plays the whole list from its first track; the player at the foot of the page goes on from there.
function transport(state, list) {
  const node = element("div", "transport")
  node.setAttribute("role", "group")
  node.setAttribute("aria-label", "Play through the playlist")
  const current = () => list.tracks.find((track) => same(track, player.track))
  const play = iconButton("play", "play", "", () => {
    const track = current() ?? list.tracks[0]
    if (track) player.toggle(track, list)
  })
  const tracks = list.tracks.length === 1 ? "1 track" : `${list.tracks.length} tracks`
  node.append(play, element("span", "now", tracks))
  let shown = null
  state.bar = () => {
    const playing = Boolean(current()) && player.playing
    if (shown === playing) return
    shown = playing
    const label = playing ? "Stop the playlist" : "Start the playlist"
    play.replaceChildren(icon(playing ? "pause" : "play"))
    play.title = label
    play.setAttribute("aria-label", label)
  }
  state.bar()
  return node
}

// Redrawing a list loses the focus; this returns it to the button at the same position.
function refocus(root) {
  const active = root.getRootNode().activeElement
  const focusable = () => [...root.querySelectorAll("button, input")]
  const place = active && root.contains(active) ? focusable().indexOf(active) : -1
  return () => { if (place >= 0) focusable()[Math.min(place, focusable().length - 1)]?.focus() }
}
