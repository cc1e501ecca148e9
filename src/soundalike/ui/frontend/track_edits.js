// Makes a table of tracks editable: a bar that plays the whole playlist, buttons that steer the playlist
// by a track, keep or remove it, and a menu with more actions.

function editButtons(data, track, act) {
  const node = element("div", "actions edits")
  const does = (action, said = "") => () => act({ action, track: track.id }, said)
  for (const { name, label } of data.edits) {
    if (name === "remove" && track.fixed) continue
    const named = `${label}: ${track.title}`
    const button = iconButton("choose", name, named, does(name, name === "why" ? "" : named))
    button.title = label
    if (name === "pin") button.setAttribute("aria-pressed", String(Boolean(track.pinned)))
    node.append(button)
  }
  node.append(menu(data.actions, track, does))
  return node
}

// A menu following the WAI-ARIA pattern: arrow keys move through it, Escape closes it.
function menu(actions, track, does) {
  const node = element("div", "more")
  const list = element("div", "menu")
  list.setAttribute("role", "menu")
  list.setAttribute("aria-label", `More for ${track.title}`)
  list.hidden = true
  const opener = iconButton("choose", "menu", `More: ${track.title}`, () => open(list.hidden))
  opener.title = "More"
  opener.setAttribute("aria-haspopup", "menu")
  const items = actions.map(({ name, label }) => {
    const item = element("button", "item-of-menu")
    item.type = "button"
    item.setAttribute("role", "menuitem")
    item.tabIndex = -1
    item.append(icon(name), document.createTextNode(label))
    item.addEventListener("click", () => { open(false); does(name)() })
    return item
  })
  const open = (wanted) => {
    list.hidden = !wanted
    opener.setAttribute("aria-expanded", String(wanted))
    if (wanted) items[0]?.focus()
  }
  open(false)
  node.addEventListener("focusout", (event) => { if (!node.contains(event.relatedTarget)) open(false) })
  node.addEventListener("keydown", (event) => {
    const at = items.indexOf(event.target)
    if (event.key === "Escape" && !list.hidden) { open(false); opener.focus() }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) open(true)
      else items.at((at + (event.key === "ArrowDown" ? 1 : -1)) % items.length).focus()
    } else return
    event.preventDefault()
    event.stopPropagation()
  })
  list.append(...items)
  node.append(opener, list)
  return node
}

// Plays the whole list. N and P skip forward and back, like a keyboard's media keys.
function transport(player, root) {
  const node = element("div", "transport")
  node.setAttribute("role", "group")
  node.setAttribute("aria-label", "Play through the playlist")
  const previous = iconButton("choose", "previous", "Previous track (P)", () => player.step(-1))
  const play = iconButton("play", "play", "Start the playlist", () => {
    const row = player.rows.find((row) => row.track.id === player.current) ?? player.rows[0]
    if (row) player.toggle(row.track)
  })
  const next = iconButton("choose", "next", "Next track (N)", () => player.step(1))
  const now = element("span", "now")
  now.setAttribute("aria-live", "polite")
  node.append(previous, play, next, now)
  player.bar = () => {
    const position = player.rows.findIndex((row) => row.track.id === player.current)
    const playing = position >= 0 && !player.audio.paused
    const label = playing ? "Stop the playlist" : "Start the playlist"
    play.replaceChildren(icon(playing ? "pause" : "play"))
    play.title = label
    play.setAttribute("aria-label", label)
    previous.disabled = position <= 0
    next.disabled = position >= player.rows.length - 1
    const text = position < 0
      ? `${player.rows.length} tracks`
      : `${position + 1} of ${player.rows.length}: ${player.rows[position].track.title}`
    if (now.textContent !== text) now.textContent = text
  }
  root.onkeydown = (event) => {
    const by = { n: 1, p: -1 }[event.key.toLowerCase()]
    if (!by || event.ctrlKey || event.metaKey || event.altKey || event.target.type === "text") return
    player.step(by)
    event.preventDefault()
  }
  const session = navigator.mediaSession
  player.audio.addEventListener("play", () => {
    session?.setActionHandler("nexttrack", () => player.step(1))
    session?.setActionHandler("previoustrack", () => player.step(-1))
  })
  return node
}

// Whether a list is an edited version of an earlier one, rather than a different list.
function isEdit(before, tracks) {
  const kept = tracks.filter((track) => before.some((row) => row.track.id === track.id))
  return kept.length >= tracks.length / 2
}

// Redrawing a list loses the focus; this returns it to the button at the same position.
function refocus(root) {
  const active = root.getRootNode().activeElement
  const focusable = () => [...root.querySelectorAll("button, input")]
  const place = active && root.contains(active) ? focusable().indexOf(active) : -1
  return () => { if (place >= 0) focusable()[Math.min(place, focusable().length - 1)]?.focus() }
}
