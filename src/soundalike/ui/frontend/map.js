// The map: points to hover, click, lasso and visit by keyboard, with marks drawn on top.
//
// All text is set with textContent, never as HTML. A click is sent to the page, which replies with marks
// (see map_marks.js); moving, zooming and hiding groups need no reply. An event on the window says which
// track is hovered (see map_hear.js).

const MARKS = "soundalike:marks"
const HOVERED = "soundalike:hovered"
const REACH = 16
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const maps = new WeakMap()

const reducesMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches

class SoundMap {
  constructor(root, key) {
    this.root = root
    this.key = key
    this.kept = new KeptView(this)
    this.marks = { focus: null, links: [], found: null, area: [], hidden: [], path: [] }
    this.hidden = new Set()
    this.tool = "move"
    this.hovered = -1
    this.reserved = boxAround(0, 0, 0, 0)
    this.pointers = new Map()
    this.build()
    this.painter = new Painter(this.below)
    this.painter.again = () => this.redraw()
    this.listen()
  }

  build() {
    this.stage = element("div", "stage")
    this.below = element("canvas")
    this.below.setAttribute("aria-hidden", "true")
    this.over = element("canvas", "over")
    this.over.tabIndex = 0
    this.over.setAttribute("role", "application")
    this.over.setAttribute("aria-roledescription", "map")
    this.tip = element("div", "tip")
    this.tip.hidden = true
    this.hint = element("div", "hint")
    this.said = element("div", "unseen")
    this.said.setAttribute("aria-live", "polite")
    this.legend = element("div", "legend")
    this.legend.setAttribute("role", "group")
    const tools = element("div", "tools")
    const using = element("div", "group")
    this.tools = {
      move: button("Move the map", "move", () => this.use("move")),
      lasso: button("Select by drawing around points (or hold Shift)", "lasso", () => this.use("lasso"), "line"),
      box: button("Select by drawing a box", "box", () => this.use("box"), "line"),
    }
    using.append(...Object.values(this.tools))
    const zooming = element("div", "group")
    zooming.append(
      button("Zoom in", "in", () => this.go(() => this.camera.zoom(1.6))),
      button("Zoom out", "out", () => this.go(() => this.camera.zoom(1 / 1.6))),
      button("Show the whole map", "whole", () => this.goTo(this.camera.home)),
    )
    tools.append(using, zooming)
    this.signs = new Signs()
    this.buttons = tools
    this.stage.append(this.below, this.over, this.signs.node, tools, this.tip, this.hint)
    this.root.replaceChildren(this.stage, this.legend, this.said, this.signs.lists)
    this.use("move")
  }

  listen() {
    const { over } = this
    const on = (name, act, options) => over.addEventListener(name, act.bind(this), options)
    on("pointerdown", this.press)
    on("pointermove", this.move)
    on("pointerup", this.lift)
    on("pointercancel", this.lift)
    on("pointerleave", () => this.hover(-1))
    on("wheel", this.wheel, { passive: false })
    on("keydown", this.keydown)
    on("focus", () => { if (over.matches(":focus-visible")) this.help("Arrow keys move, Enter plays, + − 0 zoom", 6000) })
    on("blur", () => this.hover(-1))
    on("contextmenu", (event) => event.preventDefault())
    this.root.addEventListener("transitionend", (event) => { if (event.target === this.root) this.redraw() })
    this.watch = new ResizeObserver(() => this.resize())
    this.watch.observe(this.stage)
    this.onMarks = (event) => { if (event.detail === this.key) this.applyMarks() }
    window.addEventListener(MARKS, this.onMarks)
  }

  destroy() {
    this.watch.disconnect()
    window.removeEventListener(MARKS, this.onMarks)
    cancelAnimationFrame(this.frame)
    cancelAnimationFrame(this.moving)
    clearTimeout(this.helping)
    this.kept.stop()
    this.painter.destroy()
  }

  // --- what is shown -------------------------------------------------------------------------------

  show(points, label) {
    const same = this.points && JSON.stringify(this.points.legend) === JSON.stringify(points.legend)
    const moved = this.points?.map !== points.map
    this.points = decodePoints(points)
    if (moved) {
      this.camera = new Camera(this.points.low, this.points.high, this.points.dims)
      this.hovered = -1
    }
    if (!same) {
      this.hidden.clear()
      this.fresh = true
    }
    this.over.setAttribute("aria-label", label)
    this.painter.load(this.points)
    this.resize()
    this.applyMarks()
    this.drawLegend()
  }

  applyMarks() {
    const { marks, names } = window.soundalikeMarks?.[this.key] ?? {}
    const fits = marks?.map === this.points.map
    this.signs.show(names?.map === this.points.map ? names.regions : [], fits ? marks.path : [])
    if (!fits) return this.recolour()
    const before = this.marks
    this.marks = marks
    if (!before.map) this.kept.look(marks.view)
    if (this.fresh) {
      this.fresh = false
      this.hidden = new Set(marks.hidden)
      this.drawLegend()
    }
    this.recolour()
    const asked = marks.found && JSON.stringify(marks.found.map((mark) => mark.id))
    const news = asked !== (before.found && JSON.stringify(before.found.map((mark) => mark.id)))
    const path = marks.path.map((mark) => mark.id).join()
    const newPath = path && path !== before.path.map((mark) => mark.id).join() && (before.map || !marks.view)
    if (marks.found?.length && news) this.goTo(this.camera.around(marks.found.map((mark) => mark.at)))
    else if (newPath) this.goTo(this.camera.around(marks.path.map((mark) => mark.at)))
    else if (marks.focus && marks.focus.id !== before.focus?.id && !this.inSight(marks.focus.at)) {
      this.goTo({ ...this.camera.view, target: [...marks.focus.at, 0].slice(0, 3) })
    }
    return undefined
  }

  inSight(at) {
    const [x, y] = this.camera.one(at)
    return x > 40 && y > 40 && x < this.camera.width - 40 && y < this.camera.height - 40
  }

  recolour() {
    const { points, marks } = this
    const chosen = marks.area.length ? marks.area : marks.found?.map((mark) => mark.id)
    const bright = chosen && new Set(chosen)
    const kept = marks.map === points.map && marks.kept && bytesOf(marks.kept)
    const isKept = (i) => kept[i >> 3] & (128 >> (i & 7))
    let shown = 0
    const { styles } = this.painter
    const colours = new Uint8Array(4 * points.count)
    const hidden = points.legend.items?.map((item) => this.hidden.has(item.name)) ?? []
    for (let i = 0; i < points.count; i++) {
      const code = points.codes[i]
      if (hidden[code]) continue
      colours.set(styles[code].slice(0, 3), 4 * i)
      const dimmed = (bright && !bright.has(points.ids[i])) || (kept && !isKept(i))
      colours[4 * i + 3] = dimmed ? 56 : 255
      shown += !dimmed
    }
    this.root.dataset.bright = String(shown)
    this.colours = colours
    this.painter.paintWith(colours)
    this.redraw()
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage
    if (!width || !this.camera) return
    const ratio = Math.min(window.devicePixelRatio || 1, 2)
    this.camera.resize(width, height)
    const { offsetLeft: left, offsetTop: top, offsetWidth, offsetHeight } = this.buttons
    this.reserved = { left, top, right: left + offsetWidth, bottom: top + offsetHeight }
    this.painter.resize(width, height, ratio)
    Object.assign(this.over, { width: Math.round(width * ratio), height: Math.round(height * ratio) })
    this.redraw()
  }

  redraw() {
    this.kept.reportLater()
    this.screen = null
    cancelAnimationFrame(this.frame)
    this.frame = requestAnimationFrame(() => this.paint())
  }

  get places() {
    this.screen ??= this.camera.project(this.points.places, this.points.count)
    return this.screen
  }

  get size() {
    const crowd = Math.max(0, Math.log10(this.points.count / 400))
    return Math.max(2, 5.2 - 1.7 * crowd) * Math.min(1.6, this.camera.view.zoom ** 0.25)
  }

  paint() {
    if (!this.points || !this.camera) return
    const style = getComputedStyle(this.root)
    const ink = style.color
    const accent = style.getPropertyValue("--st-primary-color").trim() || ink
    const paper = style.getPropertyValue("--st-background-color").trim() || "#fff"
    this.painter.draw(this.camera, this.size, colourOf(paper), this.painter.gl ? null : this.places)
    const context = this.over.getContext("2d")
    const ratio = this.over.width / this.camera.width
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, this.camera.width, this.camera.height)
    const marks = this.marks.map === this.points.map ? this.marks : null
    const taken = drawMarks(context, this.camera, marks, { ink, accent, paper, size: this.size })
    this.signs.place(this.camera, [this.reserved, ...taken], this.size)
    if (this.hovered >= 0) ring(context, this.places[3 * this.hovered], this.places[3 * this.hovered + 1], this.size + 4, ink, 2)
    if (this.line?.length > 1) drawLine(context, this.line, accent)
    this.root.dataset.drawn = String(this.points.count)
  }

  // --- the legend ----------------------------------------------------------------------------------

  drawLegend() {
    const { legend } = this.points
    this.legend.setAttribute("aria-label", `Colours: ${legend.title}`)
    if (legend.kind === "scale") return drawScale(this.legend, legend)
    return drawGroups(this.legend, legend, this.hidden, (names) => this.hide(names))
  }

  hide(names) {
    this.hidden = new Set(names)
    this.drawLegend()
    this.recolour()
    this.send("hidden", { names })
  }

  // --- pointing ------------------------------------------------------------------------------------

  use(tool) {
    this.tool = tool
    for (const [name, control] of Object.entries(this.tools)) control.setAttribute("aria-pressed", String(name === tool))
    this.over.classList.toggle("drawing", tool !== "move")
  }

  spot(event) {
    const box = this.over.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }

  at([x, y]) {
    const { places } = this
    let best = -1, least = REACH ** 2
    for (let i = 0; i < this.points.count; i++) {
      if (!this.colours[4 * i + 3]) continue
      const apart = (places[3 * i] - x) ** 2 + (places[3 * i + 1] - y) ** 2
      if (apart < least) [best, least] = [i, apart]
    }
    return best
  }

  // Points, and marks outside the sample of drawn points.
  trackAt(spot) {
    const row = this.at(spot)
    if (row >= 0) return this.points.ids[row]
    const marks = [...this.marks.links, ...(this.marks.found ?? [])].filter((mark) => !this.points.rows.has(mark.id))
    const near = marks.find((mark) => {
      const [x, y] = this.camera.one(mark.at)
      return Math.hypot(x - spot[0], y - spot[1]) < REACH
    })
    return near?.id
  }

  press(event) {
    this.over.setPointerCapture(event.pointerId)
    const spot = this.spot(event)
    this.pointers.set(event.pointerId, spot)
    cancelAnimationFrame(this.moving)
    this.start = spot
    this.dragged = this.pointers.size > 1
    const drawing = this.tool !== "move" || event.shiftKey
    this.line = drawing && this.pointers.size === 1 ? [spot] : null
    this.boxed = this.tool === "box"
  }

  move(event) {
    const spot = this.spot(event)
    const before = this.pointers.get(event.pointerId)
    if (!before) return this.hover(this.points ? this.at(spot) : -1)
    if (!this.dragged && Math.hypot(spot[0] - this.start[0], spot[1] - this.start[1]) < 5) return undefined
    this.dragged = true
    this.hover(-1)
    this.pointers.set(event.pointerId, spot)
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, spot)
    else if (this.line) this.line = this.boxed ? corners(this.start, spot) : [...this.line, spot]
    else this.drag(spot[0] - before[0], spot[1] - before[1], event)
    return this.redraw()
  }

  drag(dx, dy, event) {
    this.over.classList.add("dragging")
    if (this.camera.flat || event.buttons === 2) this.camera.pan(dx, dy)
    else this.camera.orbit(dx, dy)
  }

  pinch(id, before, now) {
    this.line = null
    const [, other] = [...this.pointers].find(([key]) => key !== id)
    const apart = (spot) => Math.hypot(spot[0] - other[0], spot[1] - other[1])
    this.camera.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2)
    this.camera.zoom(apart(now) / Math.max(apart(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2)
    this.updateCursor()
  }

  lift(event) {
    const spot = this.pointers.get(event.pointerId)
    this.pointers.delete(event.pointerId)
    this.over.classList.remove("dragging")
    const line = this.line
    this.line = null
    if (!spot || event.type === "pointercancel") return this.redraw()
    if (!this.dragged) {
      const id = this.trackAt(spot)
      if (id !== undefined) this.send("chosen", id)
      else if (this.marks.area.length) this.send("area", { ids: [] })
    } else if (line?.length > 2) this.enclose(line)
    return this.redraw()
  }

  enclose(line) {
    const { places, points } = this
    const ids = points.ids.filter((_, i) => this.colours[4 * i + 3] && inside(line, places[3 * i], places[3 * i + 1]))
    this.say(`${ids.length} selected`)
    if (ids.length || this.marks.area.length) this.send("area", { ids })
  }

  hover(row) {
    this.over.classList.toggle("pointing", row >= 0 && this.tool === "move")
    if (row === this.hovered) return
    this.hovered = row
    this.redraw()
    window.dispatchEvent(new CustomEvent(HOVERED, { detail: { key: this.key, id: this.points?.ids[row] ?? null } }))
    this.tip.hidden = row < 0
    if (row < 0) return
    const { points } = this
    const group = points.legend.items?.[points.codes[row]].name
    const words = [points.artists[points.artist[row]], points.legend.title.includes("rtist") ? "" : group]
    this.tip.replaceChildren(element("b", "", points.titles[row]), document.createTextNode(words.filter(Boolean).join(" · ")))
    const [x, y] = this.places.subarray(3 * row, 3 * row + 2)
    const { offsetWidth: width, offsetHeight: height } = this.tip
    this.tip.style.left = `${Math.max(4, Math.min(this.camera.width - width - 4, x - width / 2))}px`
    this.tip.style.top = `${y - height - 14 > 4 ? y - height - 14 : y + 16}px`
  }

  wheel(event) {
    const mine = this.root.getRootNode().activeElement === this.over || event.ctrlKey || event.metaKey
    if (!mine) return this.help("Click the map first, or hold Ctrl, to zoom", 1800)
    event.preventDefault()
    const [x, y] = this.spot(event)
    this.camera.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) * 0.0022), x, y)
    this.hover(-1)
    this.updateCursor()
    return this.redraw()
  }

  // --- keyboard navigation -------------------------------------------------------------------------

  keydown(event) {
    const step = STEPS[event.key]
    if (step) this.walk(step)
    else if ((event.key === "Enter" || event.key === " ") && this.hovered >= 0) this.send("chosen", this.points.ids[this.hovered])
    else if (event.key === "+" || event.key === "=") this.go(() => this.camera.zoom(1.4))
    else if (event.key === "-") this.go(() => this.camera.zoom(1 / 1.4))
    else if (event.key === "0") this.goTo(this.camera.home)
    else if (event.key === "Escape" && this.marks.area.length) this.send("area", { ids: [] })
    else return
    event.preventDefault()
  }

  // Move to the nearest point in a direction, from the hovered or selected point.
  walk([dx, dy]) {
    const { places, points } = this
    const from = this.hovered >= 0 ? this.hovered : points.rows.get(this.marks.focus?.id) ?? -1
    const [x, y] = from >= 0 ? places.subarray(3 * from, 3 * from + 2) : [this.camera.width / 2, this.camera.height / 2]
    let best = -1, least = Infinity
    for (let i = 0; i < points.count; i++) {
      if (i === from || !this.colours[4 * i + 3]) continue
      const ahead = (places[3 * i] - x) * dx + (places[3 * i + 1] - y) * dy
      const aside = Math.abs((places[3 * i] - x) * dy) + Math.abs((places[3 * i + 1] - y) * dx)
      const cost = ahead + 2 * aside
      if (ahead > 0 && aside <= 1.5 * ahead && cost < least) [best, least] = [i, cost]
    }
    if (best < 0) return
    const spot = points.places.subarray(3 * best, 3 * best + 3)
    if (!this.inSight(spot)) {
      this.camera.view.target = [...spot]
      this.screen = null
    }
    this.hover(best)
    this.say(this.tip.textContent && [...this.tip.childNodes].map((node) => node.textContent).filter(Boolean).join(", "))
  }

  // --- camera movement, messages -------------------------------------------------------------------

  updateCursor() { this.over.classList.toggle("free", this.camera.view.zoom > 1.05) }

  go(change) {
    const now = structuredClone(this.camera.view)
    change()
    const then = structuredClone(this.camera.view)
    this.camera.view = now
    this.goTo(then)
  }

  goTo(then) {
    const now = structuredClone(this.camera.view)
    const began = performance.now()
    const { camera } = this
    cancelAnimationFrame(this.moving)
    this.hover(-1)
    const tick = () => {
      const passed = reducesMotion() ? 1 : Math.min(1, (performance.now() - began) / 350)
      const share = 1 - (1 - passed) ** 3
      const mix = (low, high) => low + (high - low) * share
      camera.view = {
        target: now.target.map((value, axis) => mix(value, then.target[axis])),
        zoom: now.zoom * (then.zoom / now.zoom) ** share,
        yaw: mix(now.yaw, then.yaw),
        pitch: mix(now.pitch, then.pitch),
      }
      if (camera === this.camera) this.redraw()
      if (passed < 1 && camera === this.camera) this.moving = requestAnimationFrame(tick)
      else this.updateCursor()
    }
    tick()
  }

  help(text, milliseconds) {
    this.hint.textContent = text
    this.hint.classList.add("shown")
    clearTimeout(this.helping)
    this.helping = setTimeout(() => this.hint.classList.remove("shown"), milliseconds)
  }

  say(text) { this.said.textContent = text }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const sent = new TextDecoder().decode(data)
  let map = maps.get(parentElement)
  if (map?.drawn !== sent) {
    const { key, label, points } = JSON.parse(sent)
    if (!map) {
      map = new SoundMap(parentElement.querySelector(".root"), key)
      maps.set(parentElement, map)
    }
    map.send = setTriggerValue
    map.drawn = sent
    map.show(points, label)
  }
  map.send = setTriggerValue
  return () => {
    map.destroy()
    maps.delete(parentElement)
  }
}
