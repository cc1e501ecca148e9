// Passes one part of the data to the component with that key: see anatomy.js.

const PART = "soundalike:part"

export default function ({ data, parentElement }) {
  const bytes = data.slice()
  const begin = 4 + new DataView(bytes.buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, begin)))
  const parts = ((window.soundalikeParts ??= {})[header.key] ??= {})
  const { id, home } = parts[header.name] ?? {}
  if (id !== header.id || home !== parentElement) {
    parts[header.name] = { ...header, bytes, begin, home: parentElement }
    window.dispatchEvent(new CustomEvent(PART, { detail: header.key }))
  }
  // Another mount may have replaced it by then.
  return () => { if (parts[header.name]?.home === parentElement) delete parts[header.name] }
}
