// The player at the foot of every page, with its keys, the keys of headsets and lock screens, and the
// page's title. The player itself is in player.js. All text is set with textContent.

const player = onePlayer()
const states = new WeakMap()
ICONS.keys = "M3 6h18c.6 0 1 .4 1 1v10c0 .6-.4 1-1 1H3c-.6 0-1-.4-1-1V7c0-.6.4-1 1-1zm2 3v2h2V9zm4 0v2h2V9zm4 0v2h2V9zm4 0v2h2V9zM5 13v2h2v-2zm3.5 0v2h7v-2zm8.5 0v2h2v-2z"
const SHORTCUTS = [["Space", "Play or pause"], ["N", "Next track"], ["P", "Previous track"], ["?", "These shortcuts"]]
const TYPED_IN = "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, " +
  "[contenteditable], [role=textbox], [role=combobox], [role=listbox], [role=grid]"
const PRESSED = "button, summary, input, label, [role=button], [role=slider], [role=switch], [role=tab], " +
  "[role=option], [role=menuitem], [role=radio], [role=application]"
const OPEN = "[role=dialog], dialog[open]"

const toggle = () => player.toggle(player.track, player.list)

function shortcuts() {
  const node = element("dialog")
  const title = element("h2", "", "Keyboard shortcuts")
  title.id = "shortcuts"
  node.setAttribute("aria-labelledby", title.id)
  const keys = element("dl")
  for (const [key, does] of SHORTCUTS) {
    const name = element("dt")
    name.append(element("kbd", "", key))
    keys.append(name, element("dd", "", does))
  }
  node.append(title, keys, iconButton("close", "remove", "Close", () => node.close()))
  node.addEventListener("click", (event) => { if (event.target === node) node.close() })
  return node
}

function createBar(root) {
  const bar = element("section", "bar")
  bar.setAttribute("aria-label", "Player")
  const previous = iconButton("step", "previous", "Previous track (P)", () => player.step(-1))
  const play = iconButton("play", "play", "Play", toggle)
  const next = iconButton("step", "next", "Next track (N)", () => player.step(1))
  const controls = element("div", "controls")
  controls.append(previous, play, next)
  const [title, artist] = [element("span", "title"), element("span", "artist")]
  const name = element("div", "name")
  name.append(title, artist)
  const seek = seekBar((seconds) => player.seek(player.track, seconds))
  const words = element("div", "words")
  words.append(name, seek.time)
  const place = element("span", "place")
  const why = iconButton("step", "why", "Why this track", () => player.why?.())
  const help = shortcuts()
  const keys = iconButton("step keys", "keys", "Keyboard shortcuts (?)", () => help.showModal())
  const side = element("div", "side")
  side.append(place, why, keys)
  bar.append(controls, words, seek.range, side)
  const said = element("div", "said")
  said.setAttribute("role", "status")
  root.replaceChildren(bar, said, help)

  let shown = ""
  const show = () => {
    const { track } = player
    root.classList.toggle("loaded", Boolean(track))
    if (!track) return
    seek.show(player)
    const at = player.list && player.place >= 0 ? `${player.place + 1} of ${player.list.tracks.length}` : ""
    const before = Boolean(player.neighbour(-1))
    const after = Boolean(player.neighbour(1))
    const state = [track.id, track.url, player.playing, player.failed, at, before, after, Boolean(player.why)]
    const now = JSON.stringify(state)
    if (shown === now) return
    shown = now
    title.textContent = track.title
    artist.textContent = player.failed ? "This clip can't be played here." : track.artist
    name.title = [track.title, track.artist].filter(Boolean).join(" · ")
    seek.range.setAttribute("aria-label", `Position in ${track.title}`)
    const label = player.playing ? "Pause" : "Play"
    play.replaceChildren(icon(label.toLowerCase()))
    play.setAttribute("aria-label", label)
    play.title = `${label} (space)`
    previous.disabled = !before
    next.disabled = !after
    place.textContent = at
    why.hidden = !player.why
    const by = [track.title, track.artist].filter(Boolean).join(" by ")
    const words = player.playing ? `Playing ${by}` : ""
    if (words && said.textContent !== words) said.textContent = words
  }
  return { show, help }
}

// While music plays, the page's title names it. Streamlit sets the title whenever a page runs.
function nameInTitle() {
  let own = document.title
  let written = null
  const show = () => {
    if (document.title !== written) own = document.title
    const { track } = player
    const name = track && player.playing ? [track.title, track.artist].filter(Boolean).join(" · ") : ""
    written = name ? `${name} | ${own}` : own
    if (document.title !== written) document.title = written
  }
  const observer = new MutationObserver(show)
  observer.observe(document.head, { childList: true, characterData: true, subtree: true })
  return { show, stop: () => observer.disconnect() }
}

// Lock screens and headsets show and control the music.
function showToDevice() {
  const session = navigator.mediaSession
  if (!session) return
  const { track, audio, duration } = player
  session.playbackState = track ? (player.playing ? "playing" : "paused") : "none"
  if (!track) return
  if (session.metadata?.title !== track.title || session.metadata?.artist !== track.artist) {
    session.metadata = new MediaMetadata({ title: track.title, artist: track.artist, album: track.album })
  }
  if (duration) session.setPositionState?.({ duration, position: Math.min(audio.currentTime, duration) })
  const actions = {
    play: toggle, pause: toggle,
    previoustrack: player.neighbour(-1) ? () => player.step(-1) : null,
    nexttrack: player.neighbour(1) ? () => player.step(1) : null,
    seekto: ({ seekTime }) => player.seek(track, seekTime),
  }
  for (const [action, does] of Object.entries(actions)) {
    try { session.setActionHandler(action, does) } catch { /* An older browser lacks this action. */ }
  }
}

// Keys from anywhere on the page, but not while one types, presses a button or has a dialog open.
function press(event, help) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  const target = event.composedPath()[0]
  if (!(target instanceof Element) || target.closest(TYPED_IN)) return
  if (help.open || document.querySelector(OPEN)) return
  const key = event.key.toLowerCase()
  if (key === "n") player.step(1)
  else if (key === "p") player.step(-1)
  else if (key === "?") help.showModal()
  else if (key === " " && player.track && !target.closest(PRESSED)) toggle()
  else return
  event.preventDefault()
}

function mount(root) {
  const bar = createBar(root)
  const title = nameInTitle()
  const state = { sent: "", send: () => {} }
  const show = () => {
    bar.show()
    title.show()
    showToDevice()
    if (!player.track) return
    const around = player.list ? [player.neighbour(-1), player.neighbour(1)] : []
    const near = [player.track, ...around].filter(Boolean).map((track) => track.id)
    if (state.sent === near.join()) return
    state.sent = near.join()
    state.send(near)
  }
  const keydown = (event) => press(event, bar.help)
  player.listeners.add(show)
  window.addEventListener("keydown", keydown)
  const main = root.getRootNode().host?.closest("[data-testid=stMain]")
  // What is scrolled to isn't hidden behind the bar, nor behind the navigation at the top.
  if (main) main.style.scrollPadding = "5rem 0"
  state.show = show
  state.stop = () => {
    player.listeners.delete(show)
    window.removeEventListener("keydown", keydown)
    title.stop()
  }
  return state
}

export default function ({ data: [data], parentElement, setStateValue }) {
  let state = states.get(parentElement)
  if (!state) {
    state = mount(parentElement.querySelector(".root"))
    states.set(parentElement, state)
  }
  state.send = (near) => setStateValue("near", near)
  player.keep(data)
  state.show()
  return () => {
    state.stop()
    states.delete(parentElement)
  }
}
