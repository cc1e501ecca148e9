// Notices that the browser refused a file, or that the microphone can't be used, which Streamlit shows only
// on hover or cut off.

const WAYS = [["or smaller", "size"], ["not allowed", "kind"], ["Only one", "number"]]

const FAILED = /An error has occurred|would like to use your microphone/

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const note = parentElement.querySelector(".note")
  const widget = () => document.querySelector(`.st-key-${data.key}`)
  let told = null
  const look = () => {
    const chip = widget()?.querySelector('[data-testid="stFileChip"][aria-invalid="true"]')
    if (chip && chip !== told) {
      told = chip
      const reason = chip.querySelector('[role="alert"]')?.textContent ?? ""
      const way = WAYS.find(([words]) => reason.includes(words))
      const name = chip.querySelector('[data-testid="stFileChipName"]')?.title ?? ""
      setTriggerValue("refused", { way: way ? way[1] : "other", name })
    }
    const parts = widget()?.querySelectorAll('[data-testid="stAudioInput"] span') ?? []
    const failed = Array.from(parts).filter((part) => FAILED.test(part.textContent))
    for (const part of failed) part.style.visibility = "hidden"
    const text = failed.length ? data.denied : ""
    if (note.textContent !== text) note.textContent = text
  }
  const observer = new MutationObserver(look)
  const block = parentElement.closest('[data-testid="stVerticalBlock"]') ?? document.body
  observer.observe(block, { childList: true, subtree: true, characterData: true, attributeFilter: ["aria-invalid"] })
  look()
  return () => observer.disconnect()
}
