// The network's input image, drawn from the mel spectrogram's panel. Only its differences from the colours
// predicted by the coarser panel are sent.

// A column of pixels is the mean of the frames that it spans; a clip that is too short is repeated.
async function pictureLevels(picture, mel) {
  const { width, frames } = picture
  const levels = await inflated(picture, "differences")
  const edge = (x) => Math.floor((2 * x * frames + width) / (2 * width))
  for (let x = 0; x < width; x++) {
    const [from, to] = [edge(x), edge(x + 1)]
    for (let row = 0; row < mel.rows; row++) {
      let sum = 0
      for (let frame = from; frame < to; frame++) sum += mel.values[row * mel.columns + (frame % mel.columns)]
      // A sum too large for its type wraps around, as the difference did.
      levels[row * width + x] += Math.min(Math.floor((256 * sum) / ((to - from) * mel.largest)), 255)
    }
  }
  return levels
}

async function drawPicture(picture, mel, colours) {
  const { width, height, alt, home } = picture
  const levels = await pictureLevels(picture, mel)
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { width, height })
  const drawing = new ImageData(width, height)
  const pixels = new Uint32Array(drawing.data.buffer)
  for (let y = 0; y < height; y++) {
    const row = mel.rows - 1 - Math.floor(((2 * y + 1) * mel.rows) / (2 * height))
    for (let x = 0; x < width; x++) pixels[y * width + x] = colours[levels[row * width + x]]
  }
  canvas.getContext("2d").putImageData(drawing, 0, 0)
  const shown = element("img")
  Object.assign(shown, { width, height, alt, src: canvas.toDataURL() })
  // Every browser supports dialogs, unlike the fullscreen API.
  const dialog = element("dialog")
  dialog.setAttribute("aria-label", "Fullscreen; Escape or a click closes it")
  dialog.append(shown.cloneNode())
  dialog.addEventListener("click", () => dialog.close())
  const larger = button("larger", "Fullscreen", () => dialog.showModal())
  home.querySelector(".picture").replaceChildren(shown, larger, dialog)
}
