// The dimensions that stand out in a clip: each can be heard from the moment where it is highest, and opened.
//
// All text is set with textContent.

const states = new WeakMap()

function bar(player, item, clip, choose) {
  const excerpt = { ...clip, id: `${clip.id}-${item.dimension}`, start: item.start }
  const node = element("li", "bar")
  const play = iconButton("play", "play", "", () => player.toggle(excerpt))
  const open = element("button", "open")
  open.type = "button"
  open.setAttribute("aria-pressed", String(item.selected))
  open.setAttribute("aria-label", `Open ${item.name}, ${item.value}`)
  const words = element("span", "words")
  words.append(element("span", "name", item.name))
  if (item.detail) words.append(element("span", "detail", item.detail))
  const meter = element("span", "meter")
  const fill = element("i")
  fill.style.width = `${Math.min(1, Math.max(0, item.share)) * 100}%`
  meter.append(fill)
  open.append(words, meter, element("span", "value", item.value))
  open.addEventListener("click", () => choose(item.dimension))
  node.append(play, open)
  let shown = null
  const show = () => {
    const playing = player.current === excerpt.id && !player.audio.paused
    if (shown === playing) return
    shown = playing
    node.classList.toggle("current", playing)
    play.replaceChildren(icon(playing ? "pause" : "play"))
    const label = playing ? `Pause ${item.name}` : `Play ${item.name} from ${clock(item.start)}`
    play.setAttribute("aria-label", label)
    play.title = label
  }
  return { node, show }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  let state = states.get(parentElement)
  if (!state) {
    state = { player: createPlayer(), drawn: null }
    states.set(parentElement, state)
  }
  const { player } = state
  const wanted = JSON.stringify(data)
  if (state.drawn !== wanted) {
    state.drawn = wanted
    const root = parentElement.querySelector(".root")
    const places = [...root.querySelectorAll("button")]
    const held = places.indexOf(parentElement.activeElement ?? root.getRootNode().activeElement)
    if (!data.items.some((item) => player.current === `${data.clip.id}-${item.dimension}`)) {
      player.audio.pause()
      player.current = null
    }
    const choose = (dimension) => setTriggerValue("chosen", dimension)
    player.rows = data.items.map((item) => bar(player, item, data.clip, choose))
    const list = element("ul", "bars")
    list.setAttribute("aria-label", data.label)
    list.append(...player.rows.map((row) => row.node))
    root.replaceChildren(list)
    player.show()
    if (held >= 0) root.querySelectorAll("button")[held]?.focus()
  }
  return () => {
    player.destroy()
    states.delete(parentElement)
  }
}
