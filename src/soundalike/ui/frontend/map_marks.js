// What is drawn on top of a map, for the map of that key to pick up: see map.js.

const MARKS = "soundalike:marks"

export default function ({ data }) {
  window.soundalikeMarks ??= {}
  window.soundalikeMarks[data.key] = data.marks
  window.dispatchEvent(new CustomEvent(MARKS, { detail: data.key }))
  return () => { delete window.soundalikeMarks[data.key] }
}
