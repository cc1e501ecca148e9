// The outline of a clip, with a band on the half minute that the playlist is made from.
//
// The band is dragged, or moved with the keys. Once it rests, its place is sent with the trigger "moved". All
// text is set with textContent. The clip is played by the one player of player.js, from the band's start.

const player = onePlayer()
const states = new WeakMap()
const SECONDS = 30
const PAGE = 10
const KEY_REST_MS = 400
const HINT = "Drag to match another half minute"

function shape(peaks, largest, className) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", `0 -1 ${peaks.length} 2`)
  svg.setAttribute("preserveAspectRatio", "none")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS(SVG, "path")
  const heights = peaks.map((peak) => Math.max((0.9 * peak) / largest, 0.02))
  const above = heights.map((height, at) => `L${at + 0.5} ${-height}`)
  const below = heights.map((height, at) => `L${at + 0.5} ${height}`).reverse()
  path.setAttribute("d", `M0 0${above.join("")}L${peaks.length} 0${below.join("")}Z`)
  path.setAttribute("class", className)
  svg.append(path)
  return svg
}

function draw(state, data) {
  const wave = element("div", "wave")
  wave.tabIndex = 0
  wave.setAttribute("role", "slider")
  wave.setAttribute("aria-label", `Half minute to match, in ${data.track.title}`)
  wave.setAttribute("aria-valuemin", "0")
  wave.setAttribute("aria-valuemax", String(data.last))
  const part = shape(data.peaks, data.largest, "part")
  const band = element("div", "band")
  const head = element("div", "playhead")
  wave.append(shape(data.peaks, data.largest, "all"), part, band, head)
  const times = element("span", "times")
  const hint = element("span", "hint")
  const top = element("div", "head")
  top.append(element("span", "name", "Your moment"), times)
  const foot = element("div", "foot")
  foot.append(element("span", "", "0:00"), hint, element("span", "", clock(data.duration)))
  const play = element("button")
  play.type = "button"
  const round = element("span")
  play.append(round)
  const line = element("div", "line")
  line.append(play, wave)
  Object.assign(state, { wave, band, part, times, hint, play, round, head, shown: null })
  play.addEventListener("click", () => toggle(state))
  listen(state)
  return [top, line, foot]
}

const words = (start) => `${clock(start)} to ${clock(start + SECONDS)}`

function place(state) {
  const { data, start } = state
  const left = (100 * start) / data.duration
  const width = Math.min((100 * SECONDS) / data.duration, 100 - left)
  state.band.style.left = `${left}%`
  state.band.style.width = `${width}%`
  state.part.style.clipPath = `inset(0 ${100 - left - width}% 0 ${left}%)`
  state.times.textContent = words(start)
  state.wave.setAttribute("aria-valuenow", String(start))
  state.wave.setAttribute("aria-valuetext", words(start))
  state.hint.textContent = start === data.start ? HINT : state.held ? "" : "Matching …"
}

// Where it plays, and the button.
function show(state) {
  if (!state.data) return
  const { track, duration } = state.data
  const current = same(track, player.track)
  const playing = current && player.playing
  state.head.hidden = !current
  state.head.style.left = `${(100 * Math.min(player.audio.currentTime, duration)) / duration}%`
  if (state.shown === playing) return
  state.shown = playing
  state.round.replaceChildren(icon(playing ? "pause" : "play"))
  state.play.classList.toggle("playing", playing)
  const label = playing ? "Pause" : "Play this half minute"
  state.play.setAttribute("aria-label", label)
  state.play.title = label
}

function toggle(state) {
  const { track } = state.data
  if (same(track, player.track) && player.playing) return player.toggle(track)
  player.seek(track, state.start)
  if (!player.playing) player.play(track)
}

function move(state, start) {
  state.start = Math.round(Math.min(Math.max(start, 0), state.data.last))
  place(state)
}

function send(state) {
  clearTimeout(state.waiting)
  state.waiting = 0
  place(state)
  if (state.start === state.data.start) return
  if (same(state.data.track, player.track)) player.seek(state.data.track, state.start)
  state.setTriggerValue("moved", { track: state.data.track.id, at: state.start })
}

function listen(state) {
  const { wave } = state
  const at = (event) => {
    const frame = wave.getBoundingClientRect()
    return (state.data.duration * (event.clientX - frame.left)) / frame.width
  }
  wave.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return
    const pressed = at(event)
    const inside = pressed >= state.start && pressed <= state.start + SECONDS
    state.held = { from: state.start, offset: inside ? pressed - state.start : SECONDS / 2 }
    wave.setPointerCapture(event.pointerId)
    wave.classList.add("held")
    move(state, pressed - state.held.offset)
  })
  wave.addEventListener("pointermove", (event) => {
    if (state.held) move(state, at(event) - state.held.offset)
  })
  const release = (event) => {
    if (!state.held) return
    const { from } = state.held
    state.held = null
    wave.classList.remove("held")
    // The page scrolls instead.
    if (event.type === "pointercancel") move(state, from)
    else send(state)
  }
  wave.addEventListener("pointerup", release)
  wave.addEventListener("pointercancel", release)
  wave.addEventListener("keydown", (event) => {
    const { start, data } = state
    const to = { ArrowLeft: start - 1, ArrowDown: start - 1, ArrowRight: start + 1, ArrowUp: start + 1,
      PageDown: start - PAGE, PageUp: start + PAGE, Home: 0, End: data.last }[event.key]
    if (to === undefined) return
    event.preventDefault()
    move(state, to)
    clearTimeout(state.waiting)
    state.waiting = setTimeout(() => send(state), KEY_REST_MS)
  })
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  let state = states.get(parentElement)
  if (!state) {
    const made = { drawn: null, data: null, start: 0, held: null, waiting: 0 }
    made.listener = () => show(made)
    state = made
    states.set(parentElement, state)
    player.listeners.add(state.listener)
  }
  const { start, ...clip } = data
  const wanted = JSON.stringify(clip)
  const moving = state.held || state.waiting
  state.data = data
  state.setTriggerValue = setTriggerValue
  if (state.drawn !== wanted) {
    state.drawn = wanted
    state.held = null
    clearTimeout(state.waiting)
    state.waiting = 0
    state.start = start
    const focused = parentElement.activeElement === state.wave && state.wave
    parentElement.querySelector(".root").replaceChildren(...draw(state, data))
    if (focused) state.wave.focus()
  } else if (!moving) state.start = start
  place(state)
  show(state)
  return () => {
    clearTimeout(state.waiting)
    player.listeners.delete(state.listener)
    states.delete(parentElement)
  }
}
