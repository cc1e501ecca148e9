// Why a track is there: the aspects and the shares as bars, and both clips one above the other with a
// connecting band.
//
// One player plays the two best moments in turn, because a browser that allowed the first then also allows
// the second. Only one player plays at a time on the page: a player that starts dispatches an event on the
// window, and all others stop. All text is set with textContent.

const states = new WeakMap()
ICONS.stop = "M7 7h10v10H7z"

// Plays `length` seconds of each strip in turn; `at` is the strip that is playing, or null.
function createPlayer() {
  const audio = new Audio()
  audio.preload = "none"
  const player = { strips: [], length: 0, at: null, failed: false, show: () => {} }
  let frame = 0
  let begins = null
  const announce = () => window.dispatchEvent(new CustomEvent(PLAYING, { detail: player }))
  const pauseForOthers = (event) => { if (event.detail !== player) player.stop() }

  const start = (at) => {
    player.at = at
    begins = null
    audio.src = player.strips[at].url
    audio.play().catch(() => player.show())
  }
  const enter = () => {
    if (player.at === null) return
    const { start: wanted, offset } = player.strips[player.at]
    // A clip shorter than the window was looped to fill it.
    begins = (wanted + offset) % audio.duration
    audio.currentTime = begins
  }
  const goOn = () => {
    if (player.at === null) return
    if (player.at + 1 < player.strips.length) start(player.at + 1)
    else player.stop()
  }
  const follow = () => {
    if (begins !== null && audio.currentTime >= begins + player.length) goOn()
    player.show()
    frame = player.at === null ? 0 : requestAnimationFrame(follow)
  }

  // Seconds in the strip's picture.
  player.position = () => {
    const wanted = player.strips[player.at].start
    return begins === null ? wanted : wanted + Math.max(audio.currentTime - begins, 0)
  }
  player.play = () => {
    announce()
    player.failed = false
    start(0)
    if (!frame) frame = requestAnimationFrame(follow)
  }
  player.stop = () => {
    player.at = null
    audio.pause()
    player.show()
  }
  player.destroy = () => {
    cancelAnimationFrame(frame)
    audio.pause()
    audio.removeAttribute("src")
    window.removeEventListener(PLAYING, pauseForOthers)
  }
  audio.addEventListener("loadedmetadata", enter)
  audio.addEventListener("ended", goOn)
  audio.addEventListener("error", () => {
    if (player.at === null) return
    player.failed = true
    player.stop()
  })
  window.addEventListener(PLAYING, pauseForOthers)
  return player
}

// Named bars; the value beside each says its length in words.
function bars(parts) {
  const list = element("dl", "parts")
  for (const part of parts) {
    const bar = element("dd", part.against ? "bar against" : "bar")
    const fill = element("i")
    fill.style.width = `${100 * part.share}%`
    bar.setAttribute("aria-hidden", "true")
    bar.append(fill)
    list.append(element("dt", "", part.name), bar, element("dd", "value", part.value))
  }
  return list
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

function canvas(className, width, height) {
  const box = `0 0 ${width} ${height}`
  return shape("svg", { class: className, viewBox: box, preserveAspectRatio: "none", "aria-hidden": "true" })
}

// Contributions over time as bars, hanging from the upper clip or standing on the lower one.
function rail(shades, covered, hanging) {
  const svg = canvas("rail", shades.length, 1)
  svg.style.width = `${covered}%`
  shades.forEach((shade, at) => {
    svg.append(shape("rect", { x: at + 0.06, width: 0.88, y: hanging ? 0 : 1 - shade, height: shade }))
  })
  return svg
}

// Contributions by frequency band and time; stronger ones are more opaque.
function grid(shades, columns) {
  const svg = canvas("grid", columns, shades.length / columns)
  shades.forEach((shade, at) => {
    if (shade <= 0) return
    const place = { x: at % columns, y: Math.floor(at / columns), width: 1, height: 1 }
    svg.append(shape("rect", { ...place, "fill-opacity": (0.7 * shade).toFixed(2) }))
  })
  return svg
}

// A band linking the moment in the upper clip to the one in the lower.
function band(data, percent) {
  const svg = canvas("band", 100, 10)
  const [[left, right], [leftBelow, rightBelow]] = data.strips.map((strip) => (
    [percent(strip.start), percent(strip.start + data.length)]
  ))
  svg.append(shape("polygon", { points: `${left},0 ${right},0 ${rightBelow},10 ${leftBelow},10` }))
  return svg
}

function strip(data, shown, percent) {
  const node = element("div", "strip")
  const name = element("div", "name")
  name.append(element("span", "title", shown.title))
  if (shown.artist) name.append(element("span", "artist", ` · ${shown.artist}`))
  const picture = element("div", "picture")
  if (shown.picture) {
    const image = element("img")
    image.src = shown.picture
    image.alt = ""
    picture.append(image)
  } else {
    picture.append(element("span", "note", "We couldn't draw this clip."))
  }
  if (shown.shades.length > data.columns) picture.append(grid(shown.shades, data.columns))
  if (data.length) {
    const moment = element("div", "moment")
    moment.style.left = `${percent(shown.start)}%`
    moment.style.width = `${percent(shown.start + data.length) - percent(shown.start)}%`
    picture.append(moment)
  }
  const head = element("div", "playhead")
  picture.append(head)
  return { node, name, picture, head }
}

function figure(data, percent) {
  const node = element("div", "figure")
  node.setAttribute("role", "img")
  node.setAttribute("aria-label", data.words)
  const [upper, lower] = data.strips.map((shown) => strip(data, shown, percent))
  const between = element("div", "between")
  const byTime = data.strips[0].shades.length === data.columns
  if (byTime) between.append(rail(data.strips[0].shades, data.covered, true))
  if (data.length) between.append(band(data, percent))
  if (byTime) between.append(rail(data.strips[1].shades, data.covered, false))
  upper.node.append(upper.name, upper.picture)
  lower.node.append(lower.picture, lower.name)
  node.append(upper.node, between, lower.node)
  return { node, strips: [upper, lower] }
}

function controls(player, data) {
  const node = element("div", "controls")
  const button = element("button", "listen")
  button.type = "button"
  button.disabled = data.strips.some((shown) => !shown.url)
  button.addEventListener("click", () => (player.at === null ? player.play() : player.stop()))
  const status = element("span", "status")
  status.setAttribute("role", "status")
  node.append(button, status)
  let said = null
  const show = () => {
    const playing = player.at === null ? null : data.strips[player.at]
    const from = playing && playing.start + playing.offset
    const now = playing
      ? `Playing “${playing.title}”, ${clock(from)} to ${clock(from + data.length)}`
      : player.failed || button.disabled ? "This clip can't be played here." : ""
    if (said === now) return
    said = now
    status.textContent = now
    const label = playing ? "Stop" : "Play the most similar moments"
    button.replaceChildren(icon(playing ? "stop" : "play"), document.createTextNode(label))
  }
  return { node, show }
}

// The two clips with their player; returns the nodes for the page.
function clips(player, data) {
  const [edge, span] = data.timeline
  const percent = (seconds) => (100 * (seconds - edge)) / span
  const drawn = figure(data, percent)
  const nodes = [drawn.node]
  const parts = []
  if (data.length) {
    const made = controls(player, data)
    nodes.push(made.node)
    parts.push(made)
  }
  player.strips = data.strips
  player.length = data.length
  player.show = () => {
    drawn.strips.forEach(({ node, head }, at) => {
      node.classList.toggle("current", player.at === at)
      if (player.at === at) head.style.left = `${percent(player.position())}%`
    })
    parts.forEach((part) => part.show())
  }
  nodes.push(element("p", "legend", data.legend))
  return nodes
}

export default function ({ data: [data], parentElement }) {
  let state = states.get(parentElement)
  if (!state) {
    state = { player: createPlayer(), drawn: null }
    states.set(parentElement, state)
  }
  const { player } = state
  const wanted = JSON.stringify(data)
  if (state.drawn !== wanted) {
    state.drawn = wanted
    player.stop()
    player.failed = false
    const nodes = []
    if (data.aspects) {
      nodes.push(element("h3", "", "How alike in each aspect"), bars(data.aspects))
      nodes.push(element("p", "legend", data.scale))
    }
    if (data.aspects && data.parts.length) nodes.push(element("h3", "", "Parts of the similarity"))
    if (data.parts.length) nodes.push(bars(data.parts))
    if (data.total) nodes.push(element("p", "total", data.total))
    if (data.strips) nodes.push(...clips(player, data))
    parentElement.querySelector(".root").replaceChildren(...nodes)
    player.show()
  }
  return () => {
    player.destroy()
    states.delete(parentElement)
  }
}
