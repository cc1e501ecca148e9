// Drawn on top of the points: links, rings, ranks, and the outline of a selection.

function colourOf(text) {
  const context = (colourOf.context ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true }))
  context.fillStyle = text
  context.fillRect(0, 0, 1, 1)
  return Array.from(context.getImageData(0, 0, 1, 1).data.slice(0, 3))
}

function ring(context, x, y, radius, colour, width) {
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.strokeStyle = colour
  context.lineWidth = width
  context.stroke()
}

function corners([x0, y0], [x1, y1]) { return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]] }

// Whether a point lies inside a closed line, by counting how often a ray from it crosses the line.
function inside(line, x, y) {
  let within = false
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [ax, ay] = line[i], [bx, by] = line[j]
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within
  }
  return within
}

function drawLine(context, line, colour) {
  context.beginPath()
  line.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y))
  context.closePath()
  context.fillStyle = colour
  context.globalAlpha = 0.12
  context.fill()
  context.globalAlpha = 1
  context.strokeStyle = colour
  context.lineWidth = 1.5
  context.setLineDash([5, 4])
  context.stroke()
  context.setLineDash([])
}

// A text that is readable on top of points. Returns its box.
function label(context, text, x, y, look, font) {
  context.font = font
  context.textAlign = "center"
  context.textBaseline = "middle"
  context.lineJoin = "round"
  context.strokeStyle = look.paper
  context.lineWidth = 4
  context.strokeText(text, x, y)
  context.fillStyle = look.ink
  context.fillText(text, x, y)
  return boxAround(x, y, context.measureText(text).width / 2, 8)
}

// A line through the tracks of a path.
function drawPath(context, camera, path, look) {
  const places = path.map((mark) => camera.one(mark.at))
  context.lineJoin = "round"
  for (const [colour, width] of [[look.paper, 5], [look.accent, 2.5]]) {
    context.beginPath()
    places.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y))
    context.strokeStyle = colour
    context.lineWidth = width
    context.stroke()
  }
  return places.map(([x, y]) => {
    ring(context, x, y, look.size + RIM, look.accent, 2.5)
    return boxAround(x, y, look.size + RIM, look.size + RIM)
  })
}

// Draws the marks. Returns the boxes that they take.
function drawMarks(context, camera, marks, look) {
  if (!marks) return []
  const family = getComputedStyle(document.body).fontFamily
  for (const mark of marks.found ?? []) {
    const [x, y] = camera.one(mark.at)
    ring(context, x, y, look.size + 2.5, look.ink, 1.5)
  }
  const taken = drawPath(context, camera, marks.path, look)
  if (!marks.focus) return taken
  const [fx, fy] = camera.one(marks.focus.at)
  const ends = marks.links.map((link) => camera.one(link.at))
  context.strokeStyle = look.accent
  context.lineWidth = 1.75
  ends.forEach(([x, y], i) => {
    context.globalAlpha = 0.95 - 0.05 * i
    context.beginPath()
    context.moveTo(fx, fy)
    context.lineTo(x, y)
    context.stroke()
  })
  context.globalAlpha = 1
  ends.forEach(([x, y], i) => {
    ring(context, x, y, look.size + 2, look.accent, 2)
    const away = Math.hypot(x - fx, y - fy) || 1
    const off = look.size + 11
    taken.push(label(context, String(i + 1), x + ((x - fx) / away) * off, y + ((y - fy) / away) * off, look, `600 11px ${family}`))
  })
  if (marks.focus.id === null) {
    context.fillStyle = look.accent
    traceMarker(context, 1, fx, fy, look.size + 3)
    context.fill()
  }
  ring(context, fx, fy, look.size + 4.5, look.paper, 5)
  ring(context, fx, fy, look.size + 4.5, look.accent, 3)
  const signs = Array.from(new Intl.Segmenter().segment(marks.focus.title), (part) => part.segment)
  const text = signs.length > 34 ? `${signs.slice(0, 33).join("")}…` : marks.focus.title
  const half = (context.font = `600 13px ${family}`, context.measureText(text).width / 2 + 8)
  const x = Math.max(half, Math.min(camera.width - half, fx))
  const y = fy > 34 ? fy - look.size - 17 : fy + look.size + 17
  taken.push(boxAround(fx, fy, look.size + 6, look.size + 6), label(context, text, x, y, look, `600 13px ${family}`))
  return taken
}
