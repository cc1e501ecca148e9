// The tracks that activate a dimension most: each has a spectrogram with the moment boxed, which is also
// its player.
//
// Missing pictures are requested one at a time with the trigger "wanted", so the page appears at once and
// the pictures follow. All text is set with textContent.

const states = new WeakMap()

function place(node, box) {
  for (const side of ["left", "top", "width", "height"]) node.style[side] = `${box[side]}%`
  return node
}

// The activation map: one rectangle per place; stronger ones are more opaque.
function overlay(map) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("class", "map")
  svg.setAttribute("viewBox", `0 0 ${map.columns} ${map.rows}`)
  svg.setAttribute("preserveAspectRatio", "none")
  svg.setAttribute("aria-hidden", "true")
  svg.style.height = `${map.height}%`
  map.values.forEach((value, at) => {
    if (value <= 0) return
    const rectangle = document.createElementNS(SVG, "rect")
    rectangle.setAttribute("x", at % map.columns)
    rectangle.setAttribute("y", Math.floor(at / map.columns))
    rectangle.setAttribute("width", 1)
    rectangle.setAttribute("height", 1)
    rectangle.setAttribute("fill-opacity", (0.85 * value).toFixed(2))
    svg.append(rectangle)
  })
  return svg
}

function spectrogram(player, track, data) {
  const node = element("div", "picture")
  const [begins, span] = track.timeline
  node.tabIndex = 0
  node.setAttribute("role", "slider")
  node.setAttribute("aria-label", `Position in ${track.title}`)
  node.setAttribute("aria-valuemin", "0")
  node.setAttribute("aria-valuemax", span.toFixed(0))
  if (track.picture) {
    const image = element("img")
    image.src = track.picture
    image.alt = ""
    node.append(image)
  } else {
    node.append(element("span", "note", track.picture === null ? "Drawing the spectrogram …"
      : "We couldn't draw this clip."))
  }
  if (track.map) node.append(overlay(track.map))
  if (data.view) node.append(place(element("div", "view"), data.view))
  const box = track.box ?? data.box
  if (box) node.append(place(element("div", "box"), box))
  const head = element("div", "playhead")
  node.append(head)
  const seek = (seconds) => player.seek(track, seconds)
  node.addEventListener("click", (event) => {
    const frame = node.getBoundingClientRect()
    player.from(track, begins + (span * (event.clientX - frame.left)) / frame.width)
  })
  node.addEventListener("keydown", (event) => {
    const now = player.position(track)
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
      Home: 0, End: span - 1 }[event.key]
    if (event.key === " " || event.key === "Enter") player.toggle(track)
    else if (to !== undefined) seek(to)
    else return
    event.preventDefault()
  })
  const show = () => {
    const now = Math.min(Math.max(player.position(track), 0), span)
    head.style.left = `${(100 * (now - begins)) / span}%`
    node.setAttribute("aria-valuenow", now.toFixed(1))
    node.setAttribute("aria-valuetext", `${clock(now)} of ${clock(span)}`)
    return now
  }
  return { node, show }
}

function moment(player, track, data, act) {
  const node = element("article", "moment")
  node.dataset.track = track.id
  const play = iconButton("play", "play", "", () => player.toggle(track))
  const words = element("div", "words")
  words.append(element("div", "title", track.title))
  const from = [track.artist, track.album].filter(Boolean).join(" · ")
  words.append(element("div", "artist", from))
  const meta = element("div", "meta")
  if (track.genre) meta.append(genreLabel(track))
  if (track.licence) meta.append(element("span", "licence", track.licence))
  words.append(meta)
  const side = element("div", "side")
  side.append(element("div", "activation", track.value), element("div", "score", track.score))
  const time = element("span", "time")
  const again = iconButton("again", "again", `Play the moment again: ${track.title}`,
    () => player.from(track, track.start))
  const controls = element("div", "controls")
  controls.append(time, again, actionButtons(data.actions, track, act))
  side.append(controls)
  const picture = spectrogram(player, track, data)
  const failed = element("div", "failed", "This clip can't be played here.")
  failed.hidden = true
  node.append(play, words, side, picture.node, failed)
  const known = track.offset !== null
  play.disabled = again.disabled = !known
  let shown = null
  const show = () => {
    const now = picture.show()
    const current = player.current === track.id
    const playing = current && !player.audio.paused
    node.classList.toggle("current", current)
    time.textContent = `${clock(now)} / ${clock(track.timeline[1])}`
    failed.hidden = !(current && player.audio.error)
    if (shown === playing) return
    shown = playing
    play.replaceChildren(icon(playing ? "pause" : "play"))
    const label = `${playing ? "Pause" : "Play"} ${track.title}`
    play.setAttribute("aria-label", label)
    play.title = label
  }
  return { node, show }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  let state = states.get(parentElement)
  if (!state) {
    state = { player: createPlayer(), drawn: null, asked: null }
    states.set(parentElement, state)
  }
  const { player } = state
  const wanted = JSON.stringify(data)
  if (state.drawn !== wanted) {
    state.drawn = wanted
    if (!data.tracks.some((track) => track.id === player.current)) {
      player.audio.pause()
      player.current = null
    }
    const root = parentElement.querySelector(".root")
    const held = parentElement.activeElement?.closest(".moment")?.dataset.track
    const part = parentElement.activeElement?.className
    const act = (chosen) => setTriggerValue("chosen", chosen)
    player.rows = data.tracks.map((track) => moment(player, track, data, act))
    root.replaceChildren(...player.rows.map((row) => row.node))
    player.show()
    if (held) {
      const again = [...root.children].find((row) => row.dataset.track === held)
      again?.querySelector(`.${part.split(" ")[0]}`)?.focus()
    }
  }
  if (data.tracks.some((track) => track.picture === null) && state.asked !== wanted) {
    state.asked = wanted
    setTriggerValue("wanted", true)
  }
  return () => {
    player.destroy()
    states.delete(parentElement)
  }
}
