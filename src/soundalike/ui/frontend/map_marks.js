// Passes marks to the map with that key: see map.js.

const MARKS = "soundalike:marks"

export default function ({ data }) {
  window.soundalikeMarks ??= {}
  window.soundalikeMarks[data.key] = data.marks
  window.dispatchEvent(new CustomEvent(MARKS, { detail: data.key }))
  return () => { delete window.soundalikeMarks[data.key] }
}
