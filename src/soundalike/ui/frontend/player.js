// The one player of the app: its audio, the track that it plays, and the list that it plays from.
//
// Each component that uses the player has its own copy of this script, so the player belongs to the window.
// It outlives the pages, and music goes on when the visitor changes the page. Short excerpts have players of
// their own. Only one plays at a time: a player that starts dispatches an event on the window, and all
// others pause.

// Another library may have another track with the same id. Addresses are derived from the file's content.
const same = (one, other) => Boolean(one && other) && one.id === other.id && one.url === other.url

class Player {
  constructor() {
    this.audio = new Audio()
    this.audio.preload = "none"
    this.track = null
    this.list = null
    this.lists = new Map()
    this.kept = []
    this.waiting = false
    this.lost = false
    this.asked = false
    this.started = new Map()
    this.listeners = new Set()
    for (const event of ["play", "pause", "timeupdate", "durationchange", "error"]) {
      this.audio.addEventListener(event, () => this.changed())
    }
    this.audio.addEventListener("ended", () => { if (this.list) this.step(1, false) })
    window.addEventListener(PLAYING, ({ detail }) => { if (detail !== this) this.audio.pause() })
  }

  get playing() { return !this.audio.paused }

  get failed() { return this.lost || Boolean(this.audio.error) }

  get duration() { return Number.isFinite(this.audio.duration) ? this.audio.duration : 0 }

  // What is played next: the list that the track was played from, or else the first list on the page.
  get order() { return this.list ?? [...this.lists.values()].find(({ alone }) => !alone) ?? { tracks: [] } }

  get place() { return this.order.tracks.findIndex((track) => same(track, this.track)) }

  changed() { for (const listener of this.listeners) listener() }

  // Tracks are on the page: { key, tracks, why, alone }. A newer form of a list replaces the earlier one. A
  // track that is shown alone is no list to play.
  offer(list) {
    this.lists.set(list.key, list)
    if (this.list?.key === list.key) this.list = list
  }

  withdraw(key) {
    this.lists.delete(key)
    this.changed()
  }

  // Play a track, alone or as part of a list. If the server has dropped its file, it is asked for it first.
  play(track, list = null) {
    const other = !same(track, this.track)
    if (other || list) this.list = list
    if (other || this.waiting) {
      this.track = track
      this.lost = false
      this.waiting = !this.reaches(track)
      if (this.waiting) {
        this.audio.removeAttribute("src")
        this.audio.load()
      } else this.audio.src = track.url
    }
    if (!this.waiting) this.start()
    this.changed()
  }

  // Play a track that the page chose, once for each new `start`, also if it is drawn again.
  begin(key, track, start) {
    if (this.started.get(key) === start) return
    this.started.set(key, start)
    this.play(track)
  }

  start() {
    window.dispatchEvent(new CustomEvent(PLAYING, { detail: this }))
    this.audio.play().catch(() => this.changed())
  }

  toggle(track, list = null) {
    if (same(track, this.track) && this.playing) this.audio.pause()
    else this.play(track, list)
  }

  seek(track, seconds) {
    if (!same(track, this.track)) this.play(track)
    this.audio.currentTime = seconds
  }

  // The track before or after this one. Without one of its own, a list begins with its first track.
  neighbour(by) {
    const { order, place } = this
    return place < 0 && by < 0 ? undefined : order.tracks[place < 0 ? 0 : place + by]
  }

  step(by, asked = true) {
    const track = this.neighbour(by)
    if (!track) return
    this.asked = asked
    this.play(track, this.order)
    this.asked = false
  }

  // The server keeps a file while its list is on the page, or while this player asks for it.
  reaches(track) {
    const shown = [...this.lists.values()].some((list) => list.tracks.some((other) => same(other, track)))
    return shown || this.kept.includes(track.url)
  }

  keep({ near, urls }) {
    this.kept = urls
    if (!this.waiting || !near.includes(this.track.id)) return
    this.waiting = false
    this.lost = !urls.includes(this.track.url)
    if (this.lost) this.changed()
    else {
      this.audio.src = this.track.url
      this.start()
    }
  }

  // Opens the explanation of the track; null unless a list on the page has one.
  get why() {
    const list = [...this.lists.values()].find(
      ({ why, tracks }) => why && tracks.some((track) => same(track, this.track)))
    return list ? () => list.why(this.track) : null
  }
}

function onePlayer() {
  window.soundalikePlayer ??= new Player()
  return window.soundalikePlayer
}
