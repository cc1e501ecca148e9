// Plays the track that the pointer rests on, or that the keyboard has reached, while the switch is on.
//
// The page is asked for the address of a track's clip once it is needed.

const HOVERED = "soundalike:hovered"
const REST_MS = 300
const BLOCKED = "Click anywhere on the page first: the browser needs that before it allows sound."
const listeners = new WeakMap()

class Listener {
  constructor(note) {
    this.note = note
    this.audio = new Audio()
    this.hovered = null
    this.onHovered = (event) => { if (event.detail.key === this.key) this.hover(event.detail.id) }
    this.onPlaying = (event) => { if (event.detail !== this) this.hover(null) }
    window.addEventListener(HOVERED, this.onHovered)
    window.addEventListener(PLAYING, this.onPlaying)
  }

  update({ key, on, track }) {
    const switched = on !== this.on
    Object.assign(this, { key, on, track })
    if (switched) this.hover(on ? this.hovered : null)
    else if (track && track.id === this.asked) this.play()
  }

  hover(id) {
    this.hovered = id
    clearTimeout(this.resting)
    this.audio.pause()
    this.asked = null
    if (id !== null && this.on) this.resting = setTimeout(() => this.ask(id), REST_MS)
  }

  ask(id) {
    this.asked = id
    if (this.track?.id === id) this.play()
    else this.send("hear", id)
  }

  play() {
    const { id, url } = this.track
    this.asked = null
    this.audio.src = url
    this.audio.dataset.track = id
    window.dispatchEvent(new CustomEvent(PLAYING, { detail: this }))
    this.audio.play().then(() => this.say(""), (error) => {
      if (error.name === "NotAllowedError") this.say(BLOCKED)
      else if (error.name !== "AbortError") this.say("This clip can't be played here.")
    })
  }

  say(text) { this.note.textContent = text }

  destroy() {
    this.hover(null)
    window.removeEventListener(HOVERED, this.onHovered)
    window.removeEventListener(PLAYING, this.onPlaying)
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  let listener = listeners.get(parentElement)
  if (!listener) {
    listener = new Listener(parentElement.querySelector(".note"))
    listeners.set(parentElement, listener)
  }
  listener.send = setTriggerValue
  listener.update(data)
  return () => {
    listener.destroy()
    listeners.delete(parentElement)
  }
}
