// The map's scene: points in space, a camera, and WebGL drawing.
//
// One camera serves 2-D and 3-D maps. It rotates points about a target and projects them; a 2-D map has
// no rotation and the eye infinitely far away. Screen lengths are in CSS pixels.

const MARKERS = ["circle", "diamond", "square", "triangle-up"]
const FLAT = 1e9
const TOOLS = 48

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

// The points as numbers: places [x y z ...], group or scale codes, and each one's artist.
function decodePoints(data) {
  const packed = new Uint16Array(bytesOf(data.positions).buffer)
  const count = data.ids.length
  const places = new Float32Array(3 * count)
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < data.dims; axis++) {
      const share = packed[i * data.dims + axis] / 65535
      places[3 * i + axis] = data.low[axis] + share * (data.high[axis] - data.low[axis])
    }
  }
  const artists = bytesOf(data.artist).buffer
  return {
    ...data,
    count,
    places,
    codes: bytesOf(data.codes),
    artist: data.wide ? new Uint32Array(artists) : new Uint16Array(artists),
    rows: new Map(data.ids.map((id, row) => [id, row])),
  }
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))

// The colour of each code, [r, g, b], and the index of its marker in MARKERS.
function styleOfCodes(legend) {
  if (legend.kind === "groups") {
    return legend.items.map((item) => [...rgb(item.colour), MARKERS.indexOf(item.marker)])
  }
  const stops = legend.stops.map(rgb)
  const styles = Array.from({ length: 255 }, (_, code) => {
    const at = (code / 254) * (stops.length - 1)
    const from = Math.min(Math.floor(at), stops.length - 2)
    return [...stops[from].map((low, i) => low + (at - from) * (stops[from + 1][i] - low)), 0]
  })
  return [...styles, [...rgb(legend.colour), 0]]
}

class Camera {
  constructor(low, high, dims) {
    this.flat = dims === 2
    const middle = [0, 1, 2].map((axis) => ((low[axis] ?? 0) + (high[axis] ?? 0)) / 2)
    this.span = [0, 1, 2].map((axis) => (high[axis] ?? 0) - (low[axis] ?? 0))
    this.radius = Math.hypot(...this.span) / 2 || 1
    this.home = { target: middle, zoom: 1, yaw: this.flat ? 0 : 0.6, pitch: this.flat ? 0 : 0.35 }
    this.view = structuredClone(this.home)
    this.resize(1, 1)
  }

  resize(width, height) {
    this.width = width
    this.height = height
    this.middle = (width + TOOLS) / 2
    const room = [Math.max(width - TOOLS - 48, 40), Math.max(height - 72, 40)]
    this.base = this.flat
      ? Math.min(room[0] / (this.span[0] || 1), room[1] / (this.span[1] || 1))
      : Math.min(...room) / (1.5 * this.radius)
  }

  get unit() { return this.base * this.view.zoom }
  get far() { return this.flat ? FLAT : 4 * this.radius }

  // Rows of the rotation matrix: yaw about the vertical axis, then pitch about the horizontal one.
  get turn() {
    const { yaw, pitch } = this.view
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)]
    return [[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]]
  }

  project(places, count) {
    const screen = new Float32Array(3 * count)
    const [a, b, c] = this.turn
    const [tx, ty, tz] = this.view.target
    const { unit, far } = this
    for (let i = 0; i < count; i++) {
      const x = places[3 * i] - tx, y = places[3 * i + 1] - ty, z = places[3 * i + 2] - tz
      const depth = c[0] * x + c[1] * y + c[2] * z
      const nearer = far / Math.max(far - depth, 0.05 * far)
      screen[3 * i] = this.middle + (a[0] * x + a[1] * y + a[2] * z) * unit * nearer
      screen[3 * i + 1] = this.height / 2 - (b[0] * x + b[1] * y + b[2] * z) * unit * nearer
      screen[3 * i + 2] = depth
    }
    return screen
  }

  one(at) { return this.project([at[0], at[1], at[2] ?? 0], 1) }

  // The view as text for the URL; "" if the whole map is visible.
  get text() {
    const { target, zoom, yaw, pitch } = this.view
    const written = (view) => [...view.target, view.zoom, view.yaw, view.pitch].map((n) => n.toFixed(2)).join("_")
    return written(this.view) === written(this.home) ? "" : written({ target, zoom, yaw, pitch })
  }

  // Parse a view from such a text; null if it is invalid.
  read(text) {
    const numbers = text.split("_").map(Number)
    if (numbers.length !== 6 || !numbers.every(Number.isFinite)) return null
    const [x, y, z, zoom, yaw, pitch] = numbers
    const target = [x, y, z].map((at, axis) =>
      Math.max(this.home.target[axis] - this.span[axis], Math.min(this.home.target[axis] + this.span[axis], at)))
    return {
      target, zoom: Math.max(0.5, Math.min(60, zoom)),
      yaw: this.flat ? 0 : yaw, pitch: this.flat ? 0 : Math.max(-1.5, Math.min(1.5, pitch)),
    }
  }

  // Move the view by pixels.
  pan(dx, dy) {
    const [right, up] = this.turn
    this.view.target = this.view.target.map(
      (value, axis) => value - (dx * right[axis] - dy * up[axis]) / this.unit,
    )
  }

  orbit(dx, dy) {
    this.view.yaw += dx * 0.008
    this.view.pitch = Math.max(-1.5, Math.min(1.5, this.view.pitch + dy * 0.008))
  }

  // Zoom about a pixel.
  zoom(factor, x = this.middle, y = this.height / 2) {
    const before = this.view.zoom
    this.view.zoom = Math.max(0.5, Math.min(60, before * factor))
    const moved = this.view.zoom / before - 1
    this.pan((this.middle - x) * moved, (this.height / 2 - y) * moved)
  }

  // The view that centres these places and shows them all.
  around(spots) {
    const places = spots.map((at) => [at[0], at[1], at[2] ?? 0])
    const ends = [0, 1, 2].map((axis) => {
      const values = places.map((at) => at[axis])
      return [Math.min(...values), Math.max(...values)]
    })
    const size = Math.hypot(...ends.map(([low, high]) => high - low)) || 0
    const zoom = Math.max(1, Math.min(6, (1.4 * this.radius) / Math.max(size, 1e-6)))
    return { ...this.view, target: ends.map(([low, high]) => (low + high) / 2), zoom }
  }
}

const VERTEX = `#version 300 es
in vec3 place; in vec4 colour; in float marker;
uniform mat3 turn; uniform vec3 target; uniform vec2 half_size;
uniform float unit, far, radius, size, ratio, fog, shift;
out vec4 tint; flat out int kind; out float pixels;
void main() {
  vec3 p = turn * (place - target);
  float nearer = far / max(far - p.z, 0.05 * far);
  gl_Position = vec4(p.xy * unit * nearer / half_size, clamp(-p.z / (2.0 * radius), -0.99, 0.99), 1.0);
  gl_Position.x += shift;
  gl_PointSize = colour.a > 0.0 ? 2.6 * size * nearer * ratio : 0.0;
  pixels = gl_PointSize;
  float away = fog * clamp(0.5 - p.z / (2.0 * radius), 0.0, 1.0);
  tint = vec4(colour.rgb, colour.a * (1.0 - away));
  kind = int(marker);
}`
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 tint; flat in int kind; in float pixels; uniform vec3 paper; out vec4 result;
void main() {
  if (tint.a <= 0.0) discard;
  vec2 q = (gl_PointCoord * 2.0 - 1.0) * 1.3;
  float d = length(q) - 1.0;
  if (kind == 1) d = (abs(q.x) + abs(q.y) - 1.25) * 0.72;
  if (kind == 2) d = max(abs(q.x), abs(q.y)) - 0.86;
  if (kind == 3) d = max(abs(q.x) * 0.87 - q.y * 0.5, q.y) * 1.05 - 0.62;
  float soft = 2.6 / pixels;
  float cover = 1.0 - smoothstep(-soft, soft, d);
  if (cover < 0.02) discard;
  float rim = smoothstep(-0.26 - soft, -0.26 + soft, d) * 0.75;
  result = vec4(mix(tint.rgb, paper, rim), 1.0) * cover * tint.a;
}`

// Draws points with WebGL, or on a plain canvas if the browser has no WebGL.
class Painter {
  constructor(canvas) {
    this.canvas = canvas
    this.gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true })
    if (!this.gl) {
      this.plain = canvas.getContext("2d")
      return
    }
    this.restore = () => { this.prepare(); this.load(this.points); this.paintWith(this.colours); this.again?.() }
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault())
    canvas.addEventListener("webglcontextrestored", this.restore)
    this.prepare()
  }

  prepare() {
    const { gl } = this
    const program = gl.createProgram()
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind)
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(program, shader)
    }
    gl.linkProgram(program)
    gl.useProgram(program)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.depthFunc(gl.LEQUAL)
    this.uniform = (name) => gl.getUniformLocation(program, name)
    this.buffers = {}
    const attribute = (name, size, type, normalised) => {
      const buffer = gl.createBuffer()
      const at = gl.getAttribLocation(program, name)
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
      gl.enableVertexAttribArray(at)
      gl.vertexAttribPointer(at, size, type, normalised, 0, 0)
      this.buffers[name] = buffer
    }
    attribute("place", 3, gl.FLOAT, false)
    attribute("colour", 4, gl.UNSIGNED_BYTE, true)
    attribute("marker", 1, gl.UNSIGNED_BYTE, false)
  }

  fill(name, values) {
    const { gl } = this
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name])
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW)
  }

  load(points) {
    this.points = points
    this.styles = styleOfCodes(points.legend)
    this.markers = Uint8Array.from(points.codes, (code) => this.styles[code][3])
    if (!this.gl) return
    this.fill("place", points.places)
    this.fill("marker", this.markers)
  }

  // One RGBA value per point; points with A = 0 are hidden.
  paintWith(colours) {
    this.colours = colours
    if (this.gl && colours) this.fill("colour", colours)
  }

  resize(width, height, ratio) {
    this.ratio = ratio
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round(height * ratio)
  }

  draw(camera, size, paper, screen) {
    if (!this.gl) return this.drawPlain(camera, size, screen)
    const { gl, uniform } = this
    gl.viewport(0, 0, this.canvas.width, this.canvas.height)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT)
    if (camera.flat) gl.disable(gl.DEPTH_TEST)
    else gl.enable(gl.DEPTH_TEST)
    const [a, b, c] = camera.turn
    gl.uniformMatrix3fv(uniform("turn"), true, [...a, ...b, ...c])
    gl.uniform3fv(uniform("target"), camera.view.target)
    gl.uniform2f(uniform("half_size"), camera.width / 2, camera.height / 2)
    gl.uniform3fv(uniform("paper"), paper.map((value) => value / 255))
    const numbers = {
      unit: camera.unit, far: camera.far, radius: camera.radius, size, ratio: this.ratio,
      fog: camera.flat ? 0 : 0.6, shift: (2 * camera.middle) / camera.width - 1,
    }
    for (const [name, value] of Object.entries(numbers)) gl.uniform1f(uniform(name), value)
    gl.drawArrays(gl.POINTS, 0, this.points.count)
    return undefined
  }

  drawPlain(camera, size, screen) {
    const { plain } = this
    plain.setTransform(this.ratio, 0, 0, this.ratio, 0, 0)
    plain.clearRect(0, 0, camera.width, camera.height)
    for (let i = 0; i < this.points.count; i++) {
      const [red, green, blue, alpha] = this.colours.subarray(4 * i, 4 * i + 4)
      if (!alpha) continue
      plain.fillStyle = `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`
      traceMarker(plain, this.markers[i], screen[3 * i], screen[3 * i + 1], size)
      plain.fill()
    }
  }

  destroy() {
    this.canvas.removeEventListener("webglcontextrestored", this.restore)
    this.gl?.getExtension("WEBGL_lose_context")?.loseContext()
  }
}

// A marker's outline on a plain canvas.
function traceMarker(context, marker, x, y, size) {
  context.beginPath()
  if (marker === 0) context.arc(x, y, size, 0, 2 * Math.PI)
  if (marker === 2) context.rect(x - 0.86 * size, y - 0.86 * size, 1.72 * size, 1.72 * size)
  if (marker === 1 || marker === 3) {
    const corners = marker === 1
      ? [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]] : [[0, -1.2], [1.1, 0.6], [-1.1, 0.6]]
    corners.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + dx * size, y + dy * size))
    context.closePath()
  }
}
