// Drawing of a track's plots; `anatomy.js`, which follows in the same module, adds interaction.
//
// A matrix comes lowest row first, as deflated differences from the values predicted by the neighbours.
// Time is in seconds from the start of the shown excerpt. All text is set with textContent, never as
// HTML.

const FINE_RATE = 22050
// Seconds per pixel below which single cycles of the waveform are visible, and the RMS must not hide them.
const CLOSE = 0.001
const KINDS = { u1: Uint8Array, u2: Uint16Array, i2: Int16Array }
const SVG = "http://www.w3.org/2000/svg"
const ICONS = {
  play: "M8 5.1v13.8c0 .8.9 1.3 1.5.8l10.4-6.9c.6-.4.6-1.2 0-1.6L9.5 4.3C8.9 3.9 8 4.3 8 5.1z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  closer: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  wider: "M5 11h14v2H5z",
  whole: "M3 11l4-4v3h10V7l4 5-4 5v-3H7v3l-4-5z",
  earlier: "M15.4 7.4 14 6l-6 6 6 6 1.4-1.4L10.8 12z",
  larger: "M7 14H5v5h5v-2H7v-3zM5 10h2V7h3V5H5v5zm12 7h-3v2h5v-5h-2v3zM14 5v2h3v3h2V5h-5z",
  later: "M8.6 16.6 10 18l6-6-6-6-1.4 1.4L13.2 12z",
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high)
const signed = (text) => text.replace("-", "−")

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}

function icon(name) {
  const svg = drawn("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" })
  svg.append(drawn("path", { d: ICONS[name] }))
  return svg
}

function button(name, label, action) {
  const made = element("button", name)
  made.type = "button"
  made.title = label
  made.setAttribute("aria-label", label)
  made.append(icon(name))
  made.addEventListener("click", action)
  return made
}

const decibels = (level) => (level > 0 ? signed((20 * Math.log10(level)).toFixed(1)) : "below −90")

function plain({ arrays, bytes, begin }, name) {
  const { at, kind, count } = arrays[name]
  return new KINDS[kind](bytes.buffer, begin + at, count)
}

async function inflated({ arrays, bytes, begin }, name) {
  const { at, kind, size } = arrays[name]
  const packed = new Blob([bytes.subarray(begin + at, begin + at + size)]).stream()
  const whole = await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer()
  return new KINDS[kind](whole)
}

async function matrix(panel) {
  const { columns } = panel
  const values = await inflated(panel, "values")
  for (let at = 0; at < values.length; at++) {
    const [first, lowest] = [at % columns === 0, at < columns]
    const before = first ? 0 : values[at - 1]
    const below = lowest ? 0 : values[at - columns]
    const plane = before + below - (first || lowest ? 0 : values[at - columns - 1])
    // A sum too large for its type wraps around, as the difference did.
    values[at] += clamp(plane, Math.min(before, below), Math.max(before, below))
  }
  return values
}

// The mean level of the columns in each pixel as a colour; one image column per pixel, one row per row.
function picture(panel, colours, view, step, width) {
  const { values, columns, rows, largest } = panel
  const image = new ImageData(width, rows)
  const pixels = new Uint32Array(image.data.buffer)
  const first = view.from / step + 0.5
  const scale = (view.to - view.from) / step / width
  for (let x = 0; x < width; x++) {
    const from = clamp(Math.floor(first + x * scale), 0, columns - 1)
    const to = clamp(Math.floor(first + (x + 1) * scale), from + 1, columns)
    for (let row = 0; row < rows; row++) {
      let sum = 0
      for (let column = from; column < to; column++) sum += values[row * columns + column]
      const level = Math.round((sum / (to - from) / largest) * 255)
      pixels[(rows - 1 - row) * width + x] = colours[level]
    }
  }
  return image
}

// 256 colours in the pixel format of an image.
function paletteOf(rgb) {
  return Uint32Array.from({ length: 256 }, (_, i) =>
    (255 << 24) | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i])
}

// Gradient stops for a legend, from the pixels' colours.
function gradient(colours) {
  const stops = Array.from({ length: 17 }, (_, i) => {
    const colour = colours[Math.round((i / 16) * 255)]
    return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`
  })
  return `linear-gradient(90deg, ${stops.join(", ")})`
}

function matrixPlot(sheet, panel) {
  const canvas = element("canvas")
  const colours = sheet.colours[panel.map]
  const off = document.createElement("canvas")

  const draw = (view) => {
    const ratio = window.devicePixelRatio || 1
    canvas.width = Math.max(Math.round(canvas.clientWidth * ratio), 1)
    canvas.height = Math.max(Math.round(canvas.clientHeight * ratio), 1)
    off.width = canvas.width
    off.height = panel.rows
    off.getContext("2d").putImageData(picture(panel, colours, view, sheet.step, canvas.width), 0, 0)
    const context = canvas.getContext("2d")
    context.imageSmoothingEnabled = panel.rows > canvas.height
    context.drawImage(off, 0, 0, canvas.width, canvas.height)
  }
  const at = (seconds) => clamp(Math.round(seconds / sheet.step), 0, panel.columns - 1)
  const read = (seconds, row) => {
    const level = panel.values[row * panel.columns + at(seconds)] / panel.largest
    const value = panel.low + level * (panel.high - panel.low)
    const bound = panel.open && level === 0 ? "≤ " : panel.open && level === 1 ? "≥ " : ""
    return `${panel.names[row]}: ${bound}${signed(value.toFixed(panel.digits))} ${panel.unit}`
  }
  // The strongest row at a time: the starting row for keyboard users.
  const strongest = (seconds) => {
    let best = 0
    for (let row = 1; row < panel.rows; row++) {
      const level = (row) => panel.values[row * panel.columns + at(seconds)]
      if (level(row) > level(best)) best = row
    }
    return best
  }
  const legend = element("span", "legend")
  const bar = element("i")
  bar.style.background = gradient(colours)
  const sign = panel.open ? ["≤ ", "≥ "] : ["", ""]
  legend.append(
    element("span", "", `${sign[0]}${signed(String(panel.low))}`), bar,
    element("span", "", `${sign[1]}${panel.high} ${panel.unit}`),
  )
  const ticks = panel.ticks.map(([row, label]) => [1 - (row + 0.5) / panel.rows, label])
  return { facts: panel, node: canvas, draw, read, strongest, legend, ticks, rows: panel.rows }
}

function wavePlot(sheet) {
  const svg = drawn("svg", { viewBox: "0 0 100 2", preserveAspectRatio: "none", "aria-hidden": "true" })
  const [peak, rms] = [drawn("path", { class: "peak" }), drawn("path", { class: "rms" })]
  svg.append(peak, rms, drawn("line", { class: "zero", x1: 0, x2: 100, y1: 1, y2: 1 }))
  const coarse = plain(sheet, "envelope")
  const points = coarse.length / 2
  const levels = plain(sheet, "rms")
  const plot = { facts: sheet.wave, node: svg, rows: 0, fine: null }

  const extent = (from, to) => {
    const [source, rate, start] = plot.fine
      ? [plot.fine, FINE_RATE, sheet.start] : [null, points / sheet.duration, 0]
    const length = source ? source.length : points
    const first = clamp(Math.floor((start + from) * rate), 0, length - 1)
    const last = clamp(Math.ceil((start + to) * rate), first + 1, length)
    let [low, high] = [Infinity, -Infinity]
    for (let i = first; i < last; i++) {
      low = Math.min(low, source ? source[i] : coarse[i] / 32767)
      high = Math.max(high, source ? source[i] : coarse[points + i] / 32767)
    }
    return [low, high]
  }
  const level = (seconds) => {
    const place = clamp(seconds / sheet.step, 0, levels.length - 1)
    const before = Math.floor(place)
    const after = Math.min(before + 1, levels.length - 1)
    return (levels[before] + (levels[after] - levels[before]) * (place - before)) / 32767
  }
  const band = (pairs) => {
    const place = (i) => ((i / (pairs.length - 1)) * 100).toFixed(3)
    const top = pairs.map(([, high], i) => `${place(i)},${(1 - high).toFixed(4)}`)
    const bottom = pairs.map(([low], i) => `${place(i)},${(1 - low).toFixed(4)}`).reverse()
    return `M${top.join("L")}L${bottom.join("L")}Z`
  }
  plot.draw = (view) => {
    const width = Math.max(Math.round(svg.clientWidth), 2)
    const pixel = (view.to - view.from) / width
    svg.classList.toggle("close", pixel < CLOSE)
    const times = Array.from({ length: width }, (_, x) => view.from + x * pixel)
    peak.setAttribute("d", band(times.map((time) => extent(time, time + pixel))))
    rms.setAttribute("d", band(times.map((time) => [-level(time), level(time)])))
  }
  plot.read = (seconds, row, view) => {
    const pixel = (view.to - view.from) / Math.max(svg.clientWidth, 2)
    const [low, high] = extent(seconds, seconds + pixel).map((value) => signed(value.toFixed(2)))
    return `${low} to ${high}, RMS ${decibels(level(seconds))} dBFS`
  }
  plot.strongest = () => 0
  plot.legend = element("span", "legend")
  plot.legend.append(
    element("i", "swatch peaks"), element("span", "", "peaks"),
    element("i", "swatch levels"), element("span", "", "RMS"),
  )
  plot.ticks = [[0, "1"], [0.5, "0"], [1, "−1"]]
  return plot
}

// The samples, decoded by the browser, for a zoomed-in waveform.
async function decodeFine(url) {
  const content = await (await fetch(url)).arrayBuffer()
  const buffer = await new OfflineAudioContext(1, 1, FINE_RATE).decodeAudioData(content)
  const mix = new Float32Array(buffer.length)
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const samples = buffer.getChannelData(channel)
    for (let i = 0; i < mix.length; i++) mix[i] += samples[i] / buffer.numberOfChannels
  }
  return mix
}

// Times to label: as many round steps as fit.
function timeTicks(view, start, width) {
  const span = view.to - view.from
  const steps = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60]
  const step = steps.find((step) => (span / step) * 70 <= width) || 60
  const digits = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0
  const ticks = []
  for (let i = Math.ceil((view.from + start) / step - 1e-6); i * step <= view.to + start + 1e-6; i++) {
    ticks.push([(i * step - start - view.from) / span, clock(i * step, digits)])
  }
  return ticks
}

// Labels at positions from 0 to 1 along an axis; the outermost are kept inside.
function placeLabels(axis, ticks, side) {
  axis.replaceChildren(...ticks.map(([place, text]) => {
    const label = element("span", place < 0.03 ? "first" : place > 0.97 ? "last" : "", text)
    label.style[side] = `${place * 100}%`
    return label
  }))
}

// A plot's figure on the page: heading, axes, marks and caption.
function figureOf(plot, number) {
  const node = element("figure")
  const head = element("div", "head")
  const name = element("span", "name", plot.facts.title)
  name.append(element("span", "by", plot.facts.axis))
  head.append(name, plot.legend)
  const frame = element("div", "frame")
  frame.style.height = `${plot.facts.height}px`
  frame.tabIndex = 0
  frame.dataset.plot = plot.facts.name
  frame.setAttribute("role", "slider")
  frame.setAttribute("aria-label", `${plot.facts.title}, position in seconds`)
  frame.setAttribute("aria-describedby", `caption-${number}`)
  const marks = ["row", "cursor", "playhead", "chosen", "tip"].map((name) => {
    plot[name] = element("div", name)
    plot[name].hidden = true
    return plot[name]
  })
  frame.append(plot.node, ...marks)
  const axis = element("div", "axis")
  placeLabels(axis, plot.ticks, "top")
  const times = element("div", "times")
  const body = element("div", "plot")
  body.append(axis, frame, times)
  const caption = element("figcaption", "", plot.facts.caption)
  caption.id = `caption-${number}`
  caption.append(element("span", "seen", plot.facts.summary))
  node.append(head, body, caption)
  return Object.assign(plot, { figure: node, frame, times })
}
