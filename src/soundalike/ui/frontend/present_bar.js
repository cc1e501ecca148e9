// The presenter's bar at the top of the page: the steps of the tour with their keys, full screen, the theme,
// "Start over" and "Leave". All text is set with textContent.

const states = new WeakMap()
const KEYS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }
const MOVES_ITSELF = "input, textarea, select, audio, video, [contenteditable], [role=textbox], [role=combobox], " +
  "[role=listbox], [role=option], [role=grid], [role=slider], [role=radio], [role=radiogroup], [role=tab], " +
  "[role=menu], [role=menuitem], [role=application], [role=group] canvas"
const OPEN = "[role=dialog], dialog[open]"
const SCHEME = "soundalike-scheme"
ICONS.before = "M15.4 7.4 14 6l-6 6 6 6 1.4-1.4L10.8 12z"
ICONS.after = "M8.6 16.6 10 18l6-6-6-6-1.4 1.4 4.6 4.6z"
ICONS.full = "M5 14H3v7h7v-2H5zM3 10h2V5h5V3H3zm16 9h-5v2h7v-7h-2zM14 3v2h5v5h2V3z"
ICONS.small = "M3 16h5v5h2v-7H3zm5-8H3v2h7V3H8zm6 13h2v-5h5v-2h-7zm2-13V3h-2v7h7V8z"
ICONS.dark = "M12 3a9 9 0 1 0 9 9c0-.5 0-.9-.1-1.4A5.4 5.4 0 0 1 13.4 3.1C12.9 3 12.5 3 12 3z"
ICONS.light = "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM11 1h2v3h-2zm0 19h2v3h-2zM1 11h3v2H1zm19 0h3v2h-3zM4.2 2.8l2.1 2.1-1.4 1.4-2.1-2.1zm14.9 14.9 2.1 2.1-1.4 1.4-2.1-2.1zM2.8 19.8l2.1-2.1 1.4 1.4-2.1 2.1zM17.7 4.9l2.1-2.1 1.4 1.4-2.1 2.1z"
ICONS.over = "M12 5V1L7 6l5 5V7a6 6 0 1 1-6 6H4a8 8 0 1 0 8-8z"

const app = () => document.querySelector("[data-testid=stApp]")
const scheme = () => (getComputedStyle(app()).colorScheme === "dark" ? "dark" : "light")
const systems = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")

// Streamlit's page takes a theme from the page that it is embedded in: here, from itself. The session goes on.
function paint(wanted, themes) {
  if (scheme() === wanted) return
  const themeInfo = themes[wanted === "dark" ? 1 : 0]
  window.postMessage({ stCommVersion: 1, type: "SET_CUSTOM_THEME_CONFIG", themeInfo }, location.origin)
}

function createBar(root, state) {
  const bar = element("section", "bar")
  bar.setAttribute("aria-label", "Presentation")
  const go = (by) => {
    const to = state.data.place + by
    // The step itself is sent: pressed twice before the page has come, it is still this one.
    if (to >= 0 && to < state.data.of) state.send("step", to)
  }
  const previous = iconButton("step", "before", "Previous step (left arrow)", () => go(-1))
  const next = iconButton("step next", "after", "Next step (right arrow)", () => go(1))
  const [place, title, say, below] =
    [["span", "place"], ["span", "title"], ["p", "say"], ["p", "below"]].map(([tag, name]) => element(tag, name))
  const head = element("div", "head")
  head.append(place, title)
  const words = element("div", "words")
  words.setAttribute("role", "status")
  words.append(head, say)
  const full = iconButton("act", "full", "Full screen", () => {
    if (document.fullscreenElement) document.exitFullscreen()
    else document.documentElement.requestFullscreen().catch(() => {})
  })
  full.hidden = !document.fullscreenEnabled
  const theme = iconButton("act", "dark", "Dark theme", () => {
    const wanted = scheme() === "dark" ? "light" : "dark"
    sessionStorage.setItem(SCHEME, wanted)
    paint(wanted, state.data.themes)
  })
  const over = iconButton("act", "over", "Start over", () => state.send("order", "over"))
  const leave = iconButton("act", "remove", "Leave the presentation", () => {
    sessionStorage.removeItem(SCHEME)
    paint(systems(), state.data.themes)
    if (document.fullscreenElement) document.exitFullscreen()
    state.send("order", "leave")
  })
  const acts = element("div", "acts")
  acts.append(full, theme, over, leave)
  bar.append(previous, words, next, acts)
  root.replaceChildren(bar, below)

  const label = (button, name, text) => {
    button.replaceChildren(icon(name))
    button.title = text
    button.setAttribute("aria-label", text)
  }
  const show = () => {
    const { data } = state
    previous.disabled = data.place === 0
    next.disabled = data.place === data.of - 1
    place.textContent = `${data.place + 1} of ${data.of}`
    title.textContent = data.title
    say.textContent = data.words
    below.textContent = data.words
    bar.classList.toggle("above", data.dialog)
    const isDark = scheme() === "dark"
    label(theme, isDark ? "light" : "dark", isDark ? "Light theme" : "Dark theme")
    const isFull = Boolean(document.fullscreenElement)
    label(full, isFull ? "small" : "full", isFull ? "Leave full screen" : "Full screen")
  }
  return { bar, go, show }
}

// Arrow keys and those of a presenter's remote, from anywhere but where they already mean something.
function press(event, state, go) {
  const by = KEYS[event.key]
  if (!by || event.defaultPrevented || event.repeat) return
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
  const target = event.composedPath()[0]
  if (!(target instanceof Element) || target.closest(MOVES_ITSELF)) return
  // The tour opens the dialog of its step itself, and has to go on from there.
  if (!state.data.dialog && document.querySelector(OPEN)) return
  event.preventDefault()
  go(by)
}

function mount(root, state) {
  const { bar, go, show } = createBar(root, state)
  // A dialog turns off the rest of the page as it opens, but what says this. The tour's own lies below the bar.
  root.getRootNode().host?.setAttribute("data-react-aria-top-layer", "true")
  const header = document.querySelector("[data-testid=stHeader]")
  const place = () => {
    const top = Math.max(header?.getBoundingClientRect().bottom ?? 0, 0)
    const { style } = document.documentElement
    style.setProperty("--soundalike-header", `${top}px`)
    style.setProperty("--soundalike-top", `${top + bar.offsetHeight}px`)
  }
  const sizes = new ResizeObserver(place)
  sizes.observe(bar)
  if (header) sizes.observe(header)
  const themes = new MutationObserver(show)
  themes.observe(app(), { attributeFilter: ["class", "style"] })
  const keydown = (event) => press(event, state, go)
  window.addEventListener("keydown", keydown)
  document.addEventListener("fullscreenchange", show)
  const chosen = sessionStorage.getItem(SCHEME)
  if (chosen === "dark" || chosen === "light") paint(chosen, state.data.themes)
  state.show = show
  state.stop = () => {
    sizes.disconnect()
    themes.disconnect()
    window.removeEventListener("keydown", keydown)
    document.removeEventListener("fullscreenchange", show)
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  let state = states.get(parentElement)
  const isNew = !state
  if (isNew) {
    state = {}
    states.set(parentElement, state)
  }
  Object.assign(state, { data, send: setTriggerValue })
  if (isNew) mount(parentElement.querySelector(".root"), state)
  state.show()
  return () => {
    state.stop()
    states.delete(parentElement)
  }
}
