// The map's buttons and its legend.

const ICONS = {
  move: "M10 9h4V6h3l-5-5-5 5h3v3zm-1 1H6V7l-5 5 5 5v-3h3v-4zm14 2-5-5v3h-3v4h3v3l5-5zm-9 3h-4v3H7l5 5 5-5h-3v-3z",
  lasso: "M7.5 14.5C5.4 13.7 4 12 4 10c0-3 3.6-5.5 8-5.5s8 2.5 8 5.5-3.6 5.5-8 5.5c-1 0-1.9-.1-2.8-.3M9.5 15a2 2 0 1 0-2.2 1.7c.3 1.3-.3 2.6-1.8 3.3",
  box: "M4.5 8V4.5H8M11 4.5h2M16 4.5h3.5V8M19.5 11v2M19.5 16v3.5H16M13 19.5h-2M8 19.5H4.5V16M4.5 13v-2",
  in: "M19 13h-6v6h-2v-6H5v-2h6V5h2v6h6v2z",
  out: "M19 13H5v-2h14v2z",
  whole: "M15 3l2.3 2.3-2.89 2.87 1.42 1.42L18.7 6.7 21 9V3zM3 9l2.3-2.3 2.87 2.89 1.42-1.42L6.7 5.3 9 3H3zm6 12-2.3-2.3 2.89-2.87-1.42-1.42L5.3 17.3 3 15v6zm12-6-2.3 2.3-2.87-2.89-1.42 1.42 2.89 2.87L15 21h6z",
}
const SWATCHES = {
  circle: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  diamond: "M12 1l11 11-11 11L1 12z",
  square: "M4 4h16v16H4z",
  "triangle-up": "M12 2l10.5 18.5h-21z",
}

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function drawing(path, className) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  if (className) svg.setAttribute("class", className)
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path")
  shape.setAttribute("d", path)
  svg.append(shape)
  return svg
}

function button(label, icon, act, className) {
  const made = element("button")
  made.type = "button"
  made.title = label
  made.setAttribute("aria-label", label)
  made.append(drawing(ICONS[icon], className))
  made.addEventListener("click", act)
  return made
}

// Groups as buttons that hide and show them; `hide` receives the names of the hidden groups.
function drawGroups(node, legend, hidden, hide) {
  const names = legend.items.map((item) => item.name)
  const focused = node.getRootNode().activeElement?.dataset?.name
  const toggle = (name, only) => {
    const wanted = (other) => (only ? other !== name : hidden.has(other) !== (other === name))
    hide(names.filter(wanted))
  }
  const chips = legend.items.map((item) => {
    const chip = element("button")
    chip.type = "button"
    chip.dataset.name = item.name
    chip.title = "Click to hide or show, Shift-click to show only this"
    chip.setAttribute("aria-pressed", String(!hidden.has(item.name)))
    const swatch = drawing(SWATCHES[item.marker])
    swatch.style.fill = item.colour
    const name = element("span", "name", item.name)
    name.title = item.name
    chip.append(swatch, name, element("span", "count", item.count.toLocaleString()))
    chip.addEventListener("click", (event) => toggle(item.name, event.shiftKey))
    return chip
  })
  if (hidden.size) {
    const all = element("button", "all", "Show all")
    all.type = "button"
    all.addEventListener("click", () => hide([]))
    chips.push(all)
  }
  node.replaceChildren(...chips)
  chips.find((chip) => focused && chip.dataset.name === focused)?.focus()
}

// A colour scale from low to high.
function drawScale(node, legend) {
  const ramp = element("span", "ramp")
  ramp.style.background = `linear-gradient(to right, ${legend.stops.join(", ")})`
  const beyond = legend.beyond ? " and beyond" : ""
  const parts = [
    element("span", "scale", `${legend.title}:`),
    element("span", "scale", legend.low), ramp, element("span", "scale", legend.high + beyond),
  ]
  if (legend.missing) parts.push(element("span", "scale", `· grey: unknown (${legend.missing.toLocaleString()})`))
  node.replaceChildren(...parts)
}

// The visible part of a map, as stored in the page's URL.
class KeptView {
  constructor(map) { this.map = map }

  // Start with the view from the URL.
  look(text) {
    const { camera } = this.map
    const view = text && camera.read(text)
    if (view) {
      camera.view = view
      this.map.updateCursor()
    }
    this.reported = camera.text
  }

  // Report the view for the URL once it has stopped changing.
  reportLater() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      const { text } = this.map.camera
      if (this.reported === undefined || this.reported === text) return
      this.reported = text
      this.map.send("view", text)
    }, 600)
  }

  stop() { clearTimeout(this.timer) }
}
