// A track's measurements: a player, and plots over one time axis with a moving playhead.
//
// The data comes in parts (anatomy_part.js), each a message of its own, so the browser receives only what
// is new: a sheet that lists the panels and their ids, the panels, and the differences between the
// network's image and the mel spectrogram. A part is one byte array: the header's length (4 bytes), the
// header (JSON, padded for alignment), and the arrays that it describes. The script that passes a part on
// is sent with each part, so it is kept short.
//
// Only one player plays at a time on the page, and two tracks side by side zoom together. Both use events
// on the window.

const PLAYING = "soundalike:playing"
const VIEW = "soundalike:view"
const PART = "soundalike:part"
const SHORTEST = 0.05
const FINE_BELOW = 0.25
const LONGEST_FINE = 180
const states = new WeakMap()

function createAnatomy(root, key) {
  const audio = new Audio()
  audio.preload = "none"
  const me = {}
  let sheet = null
  let wanted = ""
  let view = { from: 0, to: 1 }
  let position = 0
  let plots = []
  let parts = {}
  let [looping, redrawing] = [0, 0]

  const whole = () => view.from <= 0 && view.to >= sheet.duration
  const within = (seconds) => (seconds - view.from) / (view.to - view.from)

  const show = () => {
    const playing = !audio.paused
    parts.play.replaceChildren(icon(playing ? "pause" : "play"))
    parts.play.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${sheet.title}`)
    parts.play.title = playing ? "Pause" : "Play"
    parts.failed.hidden = !audio.error
    showPosition()
  }
  const showPosition = () => {
    const [shown, end] = [clock(sheet.start + position), clock(sheet.start + sheet.duration)]
    parts.time.textContent = `${shown} / ${end}`
    parts.seek.value = position
    parts.seek.setAttribute("aria-valuetext", `${shown} of ${end}`)
    const place = within(position)
    for (const plot of plots) {
      plot.playhead.hidden = place < 0 || place > 1
      plot.playhead.style.left = `${place * 100}%`
    }
  }
  const redraw = () => {
    cancelAnimationFrame(redrawing)
    redrawing = requestAnimationFrame(() => {
      if (!sheet || !plots[0].node.clientWidth) return
      const ticks = timeTicks(view, sheet.start, plots[0].node.clientWidth)
      for (const plot of plots) {
        plot.draw(view)
        placeLabels(plot.times, ticks, "left")
      }
      const [from, to] = [view.from, view.to].map((time) => clock(sheet.start + time, view.to - view.from < 1 ? 2 : 1))
      parts.range.textContent = `${from} to ${to}`
      for (const name of ["wider", "whole", "earlier", "later"]) parts[name].disabled = whole()
      showPosition()
    })
    refine()
  }
  const refine = () => {
    const wave = plots[0]
    const close = view.to - view.from < sheet.duration * FINE_BELOW
    if (!close || wave.asked || !sheet.url || sheet.source_duration > LONGEST_FINE) return
    wave.asked = true
    // If the browser can't decode the file, the envelope stays.
    decodeFine(sheet.url).then((mix) => { wave.fine = mix; if (wave === plots[0]) redraw() }, () => {})
  }
  const look = (from, to, tell = true) => {
    const span = clamp(to - from, Math.min(SHORTEST, sheet.duration), sheet.duration)
    const start = clamp(from, 0, sheet.duration - span)
    view = { from: start, to: start + span }
    leave()
    redraw()
    if (!tell) return
    const detail = { me, from: whole() ? 0 : view.from, to: whole() ? Infinity : view.to }
    window.dispatchEvent(new CustomEvent(VIEW, { detail }))
  }
  const zoom = (factor, centre) => {
    const place = clamp(within(centre), 0, 1)
    const span = clamp((view.to - view.from) * factor, SHORTEST, sheet.duration)
    const middle = view.from + place * (view.to - view.from)
    look(middle - place * span, middle + (1 - place) * span)
  }
  const pan = (share) => {
    const by = share * (view.to - view.from)
    look(view.from + by, view.to + by)
  }
  const middle = () => {
    const place = within(position)
    return place >= 0 && place <= 1 ? position : (view.from + view.to) / 2
  }

  const follow = () => {
    if (audio.paused) return
    looping = requestAnimationFrame(follow)
    // Until its length is known, a player stays at 0.
    if (!audio.readyState || audio.seeking) return
    const before = position
    position = clamp(audio.currentTime - sheet.start, 0, sheet.duration)
    if (before <= view.to && position > view.to) pan(1)
    showPosition()
    if (audio.currentTime >= sheet.start + sheet.duration) audio.pause()
  }
  const seek = (seconds) => {
    position = clamp(seconds, 0, sheet.duration)
    if (audio.readyState) audio.currentTime = sheet.start + position
    showPosition()
  }
  const toggle = () => {
    if (!audio.paused) return audio.pause()
    if (position > sheet.duration - 0.05) position = 0
    if (!audio.src) audio.src = sheet.url
    if (audio.readyState) audio.currentTime = sheet.start + position
    window.dispatchEvent(new CustomEvent(PLAYING, { detail: me }))
    audio.play().catch(show)
  }

  const leave = () => plots.forEach((plot) => {
    for (const name of ["cursor", "row", "tip"]) plot[name].hidden = true
  })
  const point = (plot, seconds, row) => {
    leave()
    const place = clamp(within(seconds), 0, 1)
    for (const each of plots) {
      each.cursor.hidden = false
      each.cursor.style.left = `${place * 100}%`
    }
    const text = `${clock(sheet.start + seconds, 2)} · ${plot.read(seconds, row, view)}`
    plot.row.hidden = !plot.rows
    plot.row.style.top = `${(1 - (row + 0.5) / Math.max(plot.rows, 1)) * 100}%`
    plot.tip.hidden = false
    plot.tip.textContent = text
    plot.tip.style.left = place < 0.5 ? `calc(${place * 100}% + 0.6rem)` : ""
    plot.tip.style.right = place < 0.5 ? "" : `calc(${(1 - place) * 100}% + 0.6rem)`
    plot.frame.setAttribute("aria-valuenow", seconds.toFixed(2))
    plot.frame.setAttribute("aria-valuetext", text)
    plot.at = row
  }
  const readOut = (plot) => point(plot, position, plot.at ?? plot.strongest(position))

  const listen = (plot) => {
    const { frame } = plot
    let pressed = null
    const share = (event) => {
      const box = frame.getBoundingClientRect()
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
    }
    const seconds = (place) => clamp(view.from + place * (view.to - view.from), 0, sheet.duration)
    const release = () => { pressed = null; plot.chosen.hidden = true }
    frame.addEventListener("pointerdown", (event) => {
      if (event.button) return
      pressed = { place: share(event)[0], x: event.clientX }
      frame.setPointerCapture(event.pointerId)
    })
    frame.addEventListener("pointermove", (event) => {
      const [x, y] = share(event)
      const row = clamp(Math.floor((1 - y) * plot.rows), 0, Math.max(plot.rows - 1, 0))
      point(plot, seconds(clamp(x, 0, 1)), row)
      if (!pressed || Math.abs(event.clientX - pressed.x) < 6) return
      const [from, to] = [Math.min(pressed.place, x), Math.max(pressed.place, x)].map((v) => clamp(v, 0, 1))
      plot.chosen.hidden = false
      Object.assign(plot.chosen.style, { left: `${from * 100}%`, width: `${(to - from) * 100}%` })
    })
    frame.addEventListener("pointerup", (event) => {
      if (!pressed) return
      const [from, to] = [seconds(pressed.place), seconds(share(event)[0])]
      const dragged = !plot.chosen.hidden
      release()
      if (dragged) look(Math.min(from, to), Math.max(from, to))
      else seek(to)
    })
    frame.addEventListener("pointercancel", release)
    frame.addEventListener("pointerleave", () => { if (!pressed) leave() })
    frame.addEventListener("dblclick", () => look(0, sheet.duration))
    frame.addEventListener("focus", () => { if (frame.matches(":focus-visible")) readOut(plot) })
    frame.addEventListener("blur", leave)
    frame.addEventListener("wheel", (event) => {
      const across = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0
      if (event.ctrlKey || event.metaKey) zoom(2 ** (clamp(event.deltaY, -100, 100) / 100), seconds(share(event)[0]))
      else if (across && !whole()) pan(clamp(across, -100, 100) / 500)
      else return
      event.preventDefault()
    }, { passive: false })
  }

  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const plot = plots.find((plot) => plot.frame === event.target)
    const step = ((view.to - view.from) / 30) * (event.shiftKey ? 5 : 1)
    const turn = (rows) => { plot.at = clamp((plot.at ?? plot.strongest(position)) + rows, 0, plot.rows - 1) }
    const anywhere = { "+": () => zoom(0.5, middle()), "=": () => zoom(0.5, middle()), "-": () => zoom(2, middle()), "0": () => look(0, sheet.duration) }
    const onPlots = {
      " ": toggle, Home: () => seek(0), End: () => seek(sheet.duration),
      ArrowLeft: () => seek(position - step), ArrowRight: () => seek(position + step),
      ArrowUp: () => turn(1), ArrowDown: () => turn(-1),
    }
    const action = anywhere[event.key] || (plot && onPlots[event.key])
    if (!action || (!plot?.rows && event.key.match(/ArrowUp|ArrowDown/))) return
    event.preventDefault()
    action()
    if (!plot) return
    if (within(position) < 0 || within(position) > 1) {
      const span = view.to - view.from
      look(position - span / 2, position + span / 2)
    }
    readOut(plot)
  }

  const build = (panels) => {
    const player = element("section", "player")
    player.setAttribute("aria-label", `Player of ${sheet.title}`)
    parts = { play: button("play", "Play", toggle) }
    parts.play.disabled = !sheet.url
    const words = element("div", "words")
    words.append(element("div", "title", sheet.title), element("div", "artist", sheet.byline))
    if (sheet.licence) words.append(element("div", "licence", `Licence: ${sheet.licence}`))
    parts.seek = element("input")
    Object.assign(parts.seek, { type: "range", min: 0, max: sheet.duration, step: 0.1, value: 0 })
    parts.seek.setAttribute("aria-label", `Position in ${sheet.title}`)
    parts.seek.addEventListener("input", () => seek(Number(parts.seek.value)))
    parts.time = element("span", "time")
    parts.failed = element("div", "failed", "This clip can't be played here, but the plots are complete.")
    const line = element("div", "seek")
    line.append(parts.seek, parts.time)
    words.append(line)
    player.append(parts.play, words, parts.failed)

    const tools = element("div", "tools")
    parts.closer = button("closer", "Zoom in (+)", () => zoom(0.5, middle()))
    parts.wider = button("wider", "Zoom out (−)", () => zoom(2, middle()))
    parts.earlier = button("earlier", "Earlier", () => pan(-0.5))
    parts.later = button("later", "Later", () => pan(0.5))
    parts.whole = button("whole", "Whole clip (0)", () => look(0, sheet.duration))
    parts.range = element("span", "range")
    tools.append(parts.closer, parts.wider, parts.earlier, parts.later, parts.whole, parts.range)

    plots = [wavePlot(sheet), ...panels.map((panel) => matrixPlot(sheet, panel))].map(figureOf)
    for (const plot of plots) {
      plot.frame.setAttribute("aria-valuemin", 0)
      plot.frame.setAttribute("aria-valuemax", sheet.duration.toFixed(2))
      plot.frame.setAttribute("aria-valuenow", position.toFixed(2))
      listen(plot)
    }
    const group = element("div", "plots")
    group.append(...plots.map((plot) => plot.figure))
    root.replaceChildren(player, tools, group)
  }

  const update = async () => {
    const parts = window.soundalikeParts?.[key] ?? {}
    await renew(parts)
    const { picture, mel } = parts
    if (!sheet || !mel?.values || picture?.of !== mel.id || picture.drawn) return
    picture.drawn = true
    await drawPicture(picture, mel, sheet.colours.magma)
  }
  const renew = async (parts) => {
    const next = parts.sheet
    // The previous plots stay until all panels have arrived.
    if (!next?.panels.every(([name, id]) => parts[name]?.id === id) || next.id === wanted) return
    wanted = next.id
    const panels = next.panels.map(([name]) => parts[name])
    await Promise.all(panels.map(async (panel) => { panel.values ??= await matrix(panel) }))
    if (next.id !== wanted) return
    next.colours = Object.fromEntries(["magma", "sunset"].map((name) => [name, paletteOf(plain(next, name))]))
    const same = sheet && next.track === sheet.track
    const fine = same ? plots[0].fine : null
    sheet = next
    if (!same) {
      audio.pause()
      audio.removeAttribute("src")
      audio.load()
      position = 0
      view = { from: 0, to: sheet.duration }
    }
    build(panels)
    Object.assign(plots[0], { fine, asked: Boolean(fine) })
    show()
    redraw()
  }

  const receive = ({ detail }) => { if (detail === key) update() }
  const pauseForOthers = (event) => { if (event.detail !== me) audio.pause() }
  const lookAlong = ({ detail }) => { if (sheet && detail.me !== me) look(detail.from, Math.min(detail.to, detail.from + sheet.duration), false) }
  audio.addEventListener("loadedmetadata", () => { audio.currentTime = sheet.start + position })
  audio.addEventListener("play", () => { show(); cancelAnimationFrame(looping); looping = requestAnimationFrame(follow) })
  for (const event of ["pause", "error", "ended"]) audio.addEventListener(event, () => { if (sheet) show() })
  window.addEventListener(PART, receive)
  window.addEventListener(PLAYING, pauseForOthers)
  window.addEventListener(VIEW, lookAlong)
  root.addEventListener("keydown", press)
  const observer = new ResizeObserver(() => { if (sheet) redraw() })
  observer.observe(root)
  const destroy = () => {
    wanted = ""
    audio.pause()
    audio.removeAttribute("src")
    cancelAnimationFrame(looping)
    cancelAnimationFrame(redrawing)
    observer.disconnect()
    root.removeEventListener("keydown", press)
    window.removeEventListener(PART, receive)
    window.removeEventListener(PLAYING, pauseForOthers)
    window.removeEventListener(VIEW, lookAlong)
  }
  return { update, destroy }
}

export default function ({ data: [data], parentElement }) {
  let anatomy = states.get(parentElement)
  if (!anatomy) {
    anatomy = createAnatomy(parentElement.querySelector(".root"), data.key)
    states.set(parentElement, anatomy)
  }
  anatomy.update()
  return () => {
    anatomy.destroy()
    states.delete(parentElement)
  }
}
