// Tracks that can be played: a table for a playlist, a card for one track, columns for several playlists.
//
// All text is set with textContent, never as HTML. What plays, and from which list, is known to player.js.

const player = onePlayer()
const states = new WeakMap()
const TAKES_OUT = ["remove", "less"]

// Shows which rows play; returns the row that has become the current one.
function showRows(rows) {
  let begun = null
  for (const row of rows) {
    const current = same(row.track, player.track)
    const playing = current && player.playing
    const failed = current && player.failed
    if (current && !row.current) begun ??= row
    if (current) row.seek?.show(player)
    if (row.current === current && row.playing === playing && row.failing === failed) continue
    Object.assign(row, { current, playing, failing: failed })
    row.node.classList.toggle("current", current)
    row.button.replaceChildren(icon(playing ? "pause" : "play"))
    row.button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${row.track.title}`)
    row.failed.hidden = !failed
  }
  return begun
}

function isInView(node) {
  const { top, bottom } = node.getBoundingClientRect()
  return bottom > 0 && top < window.innerHeight
}

// Scrolls to what plays next if the visitor asked for it, or has what played before in view.
function follow(rows) {
  const followed = rows.some((row) => row.current && isInView(row.node))
  const begun = showRows(rows)
  if (!begun || !(followed || player.asked)) return
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches
  begun.node.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" })
}

function playButton(track, list = null) {
  const button = element("button", "play")
  button.type = "button"
  button.addEventListener("click", () => player.toggle(track, list))
  return button
}

function failure(track) {
  const reason = track.url ? "This clip can't be played here." : "The file has been moved or deleted since indexing."
  const node = element("div", "failed", reason)
  node.hidden = true
  return node
}

function card(track) {
  const node = element("div", "single")
  const button = playButton(track)
  const words = element("div", "words")
  words.append(element("div", "title", track.title))
  words.append(element("div", "artist", [track.artist, track.album].filter(Boolean).join(" · ")))
  const meta = element("div", "meta")
  if (track.genre) meta.append(genreLabel(track))
  words.append(meta)
  if (track.licence) words.append(element("div", "licence", `Licence: ${track.licence}`))
  const seek = seekBar((seconds) => player.seek(track, seconds))
  seek.range.setAttribute("aria-label", `Position in ${track.title}`)
  const line = element("div", "seek")
  line.append(seek.range, seek.time)
  const failed = failure(track)
  words.append(line, failed)
  node.append(button, words)
  return { seek, failed, track, node, button }
}

function meter(similarity) {
  const node = element("span", "meter")
  const fill = element("i")
  fill.style.width = `${Math.max(0, Math.min(1, similarity)) * 100}%`
  node.setAttribute("aria-hidden", "true")
  node.append(fill)
  return node
}

function tableRow(list, data, track, act) {
  const node = element("tr")
  node.dataset.track = track.id
  const cell = (className, ...content) => {
    const made = element("td", className)
    made.append(...content)
    node.append(made)
    return made
  }
  if (data.ranked) cell("rank", String(track.rank))
  const button = playButton(track, list)
  cell("play-cell", button)
  const artist = element("div", "artist", track.artist)
  if (track.album) artist.append(element("span", "album", ` · ${track.album}`))
  const failed = failure(track)
  const reason = element("div", "reason", track.reason ?? "")
  // What is cut short in a narrow row is said in full to those who point at it.
  const words = [element("div", "title", track.title), artist, reason]
  words.forEach((line) => { line.title = line.textContent })
  if (!data.edits) words.push(element("div", "licence", track.licence))
  cell("words", ...words, failed)
  cell("album-cell", element("span", "album", track.album))
  cell("genre-cell", genreLabel(track))
  const bar = track.share === null ? [] : [meter(track.share ?? track.similarity)]
  if (data.ranked) cell("similarity", ...bar, track.measured ?? `${Math.round(100 * track.similarity)}%`)
  cell("choose-cell", data.edits ? editButtons(data, track, act) : actionButtons(data.actions, track, act))
  return { failed, track, node, button }
}

function table(data, act) {
  const explained = data.edits?.some(({ name }) => name === "why")
  const why = explained ? (track) => act({ action: "why", track: track.id }) : null
  const list = { key: data.key, tracks: data.tracks, why }
  const node = element("table", data.edits ? "compact" : "")
  node.append(element("caption", "", data.label))
  const head = element("tr")
  const columns = [
    data.ranked && ["Rank", "rank", true], ["Play", "play-cell", true],
    ["Title and artist", "words", false], ["Album", "album-cell", false], ["Genre", "genre-cell", false],
    data.ranked && [data.measure ?? "Similarity", "similarity", false], ["Actions", "choose-cell", true],
  ].filter(Boolean)
  for (const [name, className, unseen] of columns) {
    const cell = element("th", className)
    cell.scope = "col"
    cell.append(element("span", unseen ? "hidden" : "", name))
    head.append(cell)
  }
  const body = element("tbody")
  const rows = data.tracks.map((track) => tableRow(list, data, track, act))
  body.append(...rows.map((row) => row.node))
  const top = element("thead")
  top.append(head)
  node.append(top, body)
  return { node, rows, lists: [list] }
}

// The part that has the focus, whatever component it is in.
function focused() {
  let node = document.activeElement
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  return node
}

const isLost = () => [null, document.body].includes(document.activeElement)

// A dialog leaves the focus nowhere when it closes; this returns it to where it was.
function focusAfterDialog() {
  const opener = focused()
  let opened = false
  const observer = new MutationObserver(() => {
    const open = document.querySelector("[role=dialog]") !== null
    opened ||= open
    if (!opened || open) return
    observer.disconnect()
    if (isLost() && opener?.isConnected) opener.focus()
  })
  observer.observe(document.body, { childList: true, subtree: true })
}

function draw(data, act) {
  if (data.kind === "columns") return columns(data, act)
  if (data.kind === "table") return table(data, act)
  const row = card(data.tracks[0])
  return { node: row.node, rows: [row], lists: [{ key: data.key, tracks: data.tracks, why: null, alone: true }] }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  let state = states.get(parentElement)
  if (!state) {
    const made = { rows: [], lists: [], drawn: null, said: "", left: null }
    made.show = () => {
      follow(made.rows)
      made.bar?.()
    }
    state = made
    states.set(parentElement, state)
    player.listeners.add(state.show)
  }
  const wanted = JSON.stringify(data)
  if (state.drawn !== wanted) {
    state.drawn = wanted
    const root = parentElement.querySelector(".root")
    const back = refocus(root)
    const drawn = draw(data, (chosen, said = "") => {
      state.said = said
      const place = state.rows.findIndex((row) => row.track.id === chosen.track)
      state.left = TAKES_OUT.includes(chosen.action) && state.rows[place]?.playing ? place : null
      if (chosen.action === "why") focusAfterDialog()
      setTriggerValue("chosen", chosen)
    })
    const gone = state.lists.filter(({ key }) => !drawn.lists.some((list) => list.key === key))
    for (const { key } of gone) player.withdraw(key)
    Object.assign(state, { rows: drawn.rows, lists: drawn.lists, bar: null })
    const bar = data.edits ? [transport(state, drawn.lists[0])] : []
    root.replaceChildren(...bar, drawn.node)
    back()
    // An edit is announced once the playlist shows it.
    parentElement.querySelector(".said").textContent = state.said
    state.said = ""
    showRows(state.rows)
    for (const list of state.lists) player.offer(list)
    // A visitor who takes out what plays goes on with what is now in its place.
    if (state.left !== null && data.tracks.length && !state.rows.some((row) => row.current)) {
      player.play(data.tracks[Math.min(state.left, data.tracks.length - 1)], state.lists[0])
    }
    state.left = null
    player.changed()
  }
  if (data.start) {
    player.begin(data.key, data.tracks[0], data.start)
    // What was pressed to start from this track may be gone.
    if (state.started !== data.start && isLost()) state.rows[0].button.focus()
    state.started = data.start
  }
  return () => {
    player.listeners.delete(state.show)
    for (const { key } of state.lists) player.withdraw(key)
    states.delete(parentElement)
  }
}
