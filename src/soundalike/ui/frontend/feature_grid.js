// The network's grid, groups of words or a list of dimensions, as buttons that report the chosen dimension.
//
// All text is set with textContent. In the grid, arrow keys move and Enter chooses.

const states = new WeakMap()
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function grid(data, choose) {
  const node = element("div", "grid")
  node.setAttribute("role", "group")
  node.setAttribute("aria-label", data.label)
  node.style.gridTemplateColumns = `${data.row_labels.length ? "auto " : ""}repeat(${data.columns}, 1fr)`
  const cells = data.cells.map((cell, place) => {
    const button = element("button", "cell")
    button.type = "button"
    button.title = cell.text
    button.setAttribute("aria-label", cell.text)
    button.setAttribute("aria-pressed", String(place === data.selected))
    button.tabIndex = place === Math.max(data.selected, 0) ? 0 : -1
    button.style.setProperty("--share", `${Math.round(cell.share * 100)}%`)
    button.append(element("span", "number", cell.mark))
    button.addEventListener("click", () => choose(cell.dimension))
    return button
  })
  node.addEventListener("keydown", (event) => {
    const step = STEPS[event.key]
    const place = cells.indexOf(event.target)
    if (!step || place < 0) return
    event.preventDefault()
    const row = Math.floor(place / data.columns) + step[0]
    const column = (place % data.columns) + step[1]
    if (row < 0 || column < 0 || column >= data.columns) return
    cells[row * data.columns + column]?.focus()
  })
  for (let row = 0; row * data.columns < cells.length; row += 1) {
    if (data.row_labels.length) node.append(element("span", "row-label", data.row_labels[row]))
    node.append(...cells.slice(row * data.columns, (row + 1) * data.columns))
  }
  if (data.column_labels.length) {
    if (data.row_labels.length) node.append(element("span", "corner"))
    data.column_labels.forEach((label) => node.append(element("span", "column-label", label)))
  }
  return node
}

function groups(data, choose) {
  const node = element("div", "groups")
  node.setAttribute("role", "group")
  node.setAttribute("aria-label", data.label)
  for (const group of data.groups) {
    const part = element("div", "group")
    part.setAttribute("role", "group")
    part.setAttribute("aria-label", group.title)
    const cells = element("div", "chips")
    for (const cell of group.cells) {
      const button = element("button", "chip", cell.mark)
      button.type = "button"
      button.title = cell.text
      button.setAttribute("aria-label", cell.text)
      button.setAttribute("aria-pressed", String(cell.selected))
      button.style.setProperty("--share", `${Math.round(cell.share * 100)}%`)
      button.addEventListener("click", () => choose(cell.dimension))
      cells.append(button)
    }
    part.append(element("div", "kind", group.title), cells)
    node.append(part)
  }
  return node
}

function list(data, choose) {
  const node = element("ul", "list")
  node.setAttribute("aria-label", data.label)
  for (const item of data.items) {
    const button = element("button", "item")
    button.type = "button"
    button.setAttribute("aria-label", `Open ${item.name}: ${item.detail}, ${item.value}`)
    const meter = element("span", `meter${item.share < 0 ? " negative" : ""}`)
    const fill = element("i")
    fill.style.width = `${Math.min(1, Math.abs(item.share)) * 100}%`
    meter.append(fill)
    const words = element("span", "words")
    words.append(element("span", "dimension", item.name), element("span", "detail", item.detail))
    button.append(words, meter, element("span", "value", item.value))
    button.addEventListener("click", () => choose(item.dimension))
    const row = element("li")
    row.append(button)
    node.append(row)
  }
  return node
}

const DRAW = { grid, groups, list }

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const wanted = JSON.stringify(data)
  if (states.get(parentElement) !== wanted) {
    states.set(parentElement, wanted)
    const root = parentElement.querySelector(".root")
    const held = root.contains(parentElement.activeElement)
    const choose = (dimension) => setTriggerValue("chosen", dimension)
    root.replaceChildren(DRAW[data.kind](data, choose))
    if (held) root.querySelector("[tabindex='0'], [aria-pressed='true']")?.focus()
  }
  return () => states.delete(parentElement)
}
