// The bar that shows and sets the place in the track that plays.

function seekBar(seek) {
  const range = element("input")
  Object.assign(range, { type: "range", min: 0, max: 30, step: 0.1, value: 0 })
  range.addEventListener("input", () => seek(Number(range.value)))
  const time = element("span", "time", "0:00")
  const show = (player) => {
    const now = player.audio.currentTime
    range.max = player.duration || 1
    range.value = now
    range.setAttribute("aria-valuetext", `${clock(now)} of ${clock(player.duration)}`)
    time.textContent = `${clock(now)} / ${clock(player.duration)}`
  }
  return { range, time, show }
}
