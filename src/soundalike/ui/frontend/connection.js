// A line while the connection to the server is lost. When another server or session answers, the page is
// opened again from its address, which brings the settings back.

const LOST = "The connection is lost. We're trying to get it back; what you see stays here meanwhile."
const OWN_LOST = "The connection is back. Your own clip is gone, so please give it again."
const NOTE = "soundalike-note"
const SHOWN_MS = 30_000

function closeStreamlitsDialog() {
  // It would tell visitors to start the server.
  for (const dialog of document.querySelectorAll('[role="dialog"]')) {
    if (dialog.textContent.includes("Connection error")) dialog.querySelector('button[aria-label="Close"]')?.click()
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const line = parentElement.querySelector(".line")
  const say = (text) => { line.textContent = text }
  if (window.soundalikeSession && window.soundalikeSession !== data.session) {
    sessionStorage.setItem(NOTE, window.soundalikeOwn ? OWN_LOST : "")
    location.reload()
    return undefined
  }
  window.soundalikeSession = data.session
  window.soundalikeOwn = data.own
  const note = sessionStorage.getItem(NOTE)
  sessionStorage.removeItem(NOTE)
  if (note) {
    say(note)
    setTimeout(() => { if (line.textContent === note) say("") }, SHOWN_MS)
  }
  const app = document.querySelector('[data-testid="stApp"]')
  let lost = false
  const look = () => {
    const connected = app.dataset.testConnectionState === "CONNECTED"
    if (!connected) {
      if (!lost) say(LOST)
      closeStreamlitsDialog()
    } else if (lost) {
      say("")
      setTriggerValue("back", true)
    }
    lost = !connected
  }
  const observer = new MutationObserver(look)
  observer.observe(app, { attributeFilter: ["data-test-connection-state"] })
  observer.observe(document.body, { childList: true })
  look()
  return () => observer.disconnect()
}
