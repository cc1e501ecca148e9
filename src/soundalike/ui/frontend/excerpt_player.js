// A player for several excerpts, of one file or of many. Only one player plays at a time on the page: a
// player that starts dispatches an event on the window, and all others pause.

// Positions are seconds in the picture; the file may begin `offset` seconds earlier.
function createPlayer() {
  const audio = new Audio()
  audio.preload = "auto"
  const player = { audio, rows: [], current: null }
  let frame = 0
  let waiting = null
  let source = null
  const announce = () => window.dispatchEvent(new CustomEvent(PLAYING, { detail: player }))
  const pauseForOthers = (event) => { if (event.detail !== player) audio.pause() }

  player.position = (track) => {
    if (player.current !== track.id) return track.start
    return (waiting ?? audio.currentTime) - track.offset
  }
  const jump = () => {
    if (waiting === null) return
    audio.currentTime = waiting
    waiting = null
  }
  player.seek = (track, seconds) => {
    const length = track.timeline[1]
    waiting = Math.min(Math.max(seconds, 0), length - 0.1) + track.offset
    if (player.current !== track.id) {
      player.current = track.id
      if (source !== track.url) audio.src = source = track.url
    }
    if (audio.readyState >= 1) jump()
    player.show()
  }
  const start = () => {
    announce()
    audio.play().catch(() => player.show())
  }
  player.from = (track, seconds) => {
    player.seek(track, seconds)
    start()
  }
  player.toggle = (track) => {
    if (player.current !== track.id) player.from(track, track.start)
    else if (audio.paused) start()
    else audio.pause()
  }
  player.show = () => player.rows.forEach((row) => row.show())
  const follow = () => {
    player.show()
    frame = audio.paused ? 0 : requestAnimationFrame(follow)
  }
  player.destroy = () => {
    cancelAnimationFrame(frame)
    audio.pause()
    audio.removeAttribute("src")
    window.removeEventListener(PLAYING, pauseForOthers)
  }
  audio.addEventListener("loadedmetadata", jump)
  audio.addEventListener("play", () => { if (!frame) frame = requestAnimationFrame(follow) })
  for (const event of ["pause", "seeked", "ended", "error"]) audio.addEventListener(event, player.show)
  window.addEventListener(PLAYING, pauseForOthers)
  return player
}
