// Passes what is drawn on the map with that key: its marks, or the names of its regions. See map.js.

const CHANGED = "soundalike:marks"

export default function ({ data: [data] }) {
  window.soundalikeMarks ??= {}
  window.soundalikeMarks[data.key] = { ...window.soundalikeMarks[data.key], [data.part]: data.content }
  window.dispatchEvent(new CustomEvent(CHANGED, { detail: data.key }))
  return () => { delete window.soundalikeMarks[data.key]?.[data.part] }
}
