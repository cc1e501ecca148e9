// A length or a position as minutes and seconds, to the nearest second or fraction of it, as in Python's
// `audio.clip.clock`.
function clock(seconds, digits = 0) {
  const shown = Number(Math.max(seconds || 0, 0).toFixed(digits))
  const rest = (shown % 60).toFixed(digits)
  return `${Math.floor(shown / 60)}:${rest.padStart(digits ? digits + 3 : 2, "0")}`
}
