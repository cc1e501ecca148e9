// A button that copies the page's address, which carries the page's settings but no clip of one's own.

const ICON = "M3.9 12c0-1.7 1.4-3.1 3.1-3.1h4V7H7a5 5 0 0 0 0 10h4v-1.9H7A3.1 3.1 0 0 1 3.9 12zM8 13h8v-2H8zm9-6h-4v1.9h4a3.1 3.1 0 0 1 0 6.2h-4V17h4a5 5 0 0 0 0-10z"
const SHOWN_FOR = 4000
// A room's vote counts once for each of these.
const PERSONAL = "ballot"

function link() {
  const address = new URL(location.href)
  address.searchParams.delete(PERSONAL)
  return address.href
}

// Without a secure connection browsers have no clipboard; there a selection is copied.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const field = document.createElement("textarea")
  field.value = text
  document.body.append(field)
  field.select()
  const done = document.execCommand("copy")
  field.remove()
  if (!done) throw new Error("refused")
}

// The page's first run ends with this component. Its parts are in place once nothing waits for its code or has
// changed its size for a few frames; app.css shows them then.
const FRAMES = 6
let settling = false

function settle() {
  const main = document.querySelector("[data-testid=stMainBlockContainer]")
  if (settling || !main) return
  settling = true
  let [still, height] = [0, 0]
  const look = () => {
    const same = main.scrollHeight === height && !main.querySelector("[data-testid=stSkeleton]")
    still = same ? still + 1 : 0
    height = main.scrollHeight
    if (still < FRAMES) requestAnimationFrame(look)
    else document.documentElement.dataset.settled = ""
  }
  look()
}

export default function ({ data: [data], parentElement }) {
  settle()
  const button = parentElement.querySelector("button")
  const said = parentElement.querySelector("[role=status]")
  if (!button.firstChild) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
    svg.setAttribute("viewBox", "0 0 24 24")
    svg.setAttribute("aria-hidden", "true")
    path.setAttribute("d", ICON)
    svg.append(path)
    button.append(svg)
    button.title = "Copy link"
    button.setAttribute("aria-label", "Copy link")
  }
  let timer = 0
  button.onclick = async () => {
    clearTimeout(timer)
    try {
      await copy(link())
      said.textContent = data.own ? "Link copied. It can't carry your own clip." : "Link copied"
    } catch {
      said.textContent = "Your browser doesn't let us copy. Copy the address bar instead."
    }
    timer = setTimeout(() => { said.textContent = "" }, SHOWN_FOR)
  }
  return () => clearTimeout(timer)
}
