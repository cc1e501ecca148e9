// Shared code of the players: DOM helpers, icons, and buttons that open a track on other pages.

const PLAYING = "soundalike:playing"
const SVG = "http://www.w3.org/2000/svg"
const ICONS = {
  play: "M8 5.1v13.8c0 .8.9 1.3 1.5.8l10.4-6.9c.6-.4.6-1.2 0-1.6L9.5 4.3C8.9 3.9 8 4.3 8 5.1z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  again: "M12 6V2.5L7 7l5 4.5V8a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
  recommend: "M4 6h10v2H4zm0 5h10v2H4zm0 5h6v2H4zm11.5-3.5 5 3.5-5 3.5z",
  anatomy: "M3 10h2v4H3zm4-4h2v12H7zm4 2h2v8h-2zm4-5h2v14h-2zm4 7h2v4h-2z",
  previous: "M6 5h2v14H6zM20 5.6v12.8c0 .8-.9 1.3-1.5.8L9.7 12.8a1 1 0 0 1 0-1.6l8.8-6.4c.6-.5 1.5 0 1.5.8z",
  next: "M16 5h2v14h-2zM4 5.6v12.8c0 .8.9 1.3 1.5.8l8.8-6.4a1 1 0 0 0 0-1.6L5.5 4.8C4.9 4.3 4 4.8 4 5.6z",
  pin: "M8 3h8v2l-1 1v5l3 3v2h-5v5l-1 1-1-1v-5H6v-2l3-3V6L8 5z",
  remove: "M18.3 7.1 16.9 5.7 12 10.6 7.1 5.7 5.7 7.1l4.9 4.9-4.9 4.9 1.4 1.4 4.9-4.9 4.9 4.9 1.4-1.4-4.9-4.9z",
  why: "M11 18h2v2h-2zm1-14a5 5 0 0 0-5 5h2a3 3 0 1 1 4.6 2.5c-1.5 1-2.6 2-2.6 4.5h2c0-1.6.6-2.1 1.7-2.8A5 5 0 0 0 12 4z",
  menu: "M5 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm7 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm7 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  more: "M1 21h4V9H1v12zm22-11c0-1.1-.9-2-2-2h-6.3l1-4.6v-.3c0-.4-.2-.8-.5-1.1L14.2 1 7.6 7.6C7.2 8 7 8.5 7 9v10c0 1.1.9 2 2 2h9c.8 0 1.5-.5 1.8-1.2l3-7.1c.1-.2.2-.5.2-.7z",
  less: "M15 3H6c-.8 0-1.5.5-1.8 1.2l-3 7.1c-.1.2-.2.5-.2.7v2c0 1.1.9 2 2 2h6.3l-1 4.6v.3c0 .4.2.8.5 1.1l1 1 6.6-6.6c.4-.4.6-.9.6-1.4V5c0-1.1-.9-2-2-2zm4 0v12h4V3z",
  map: "M12 2a7 7 0 0 0-7 7c0 5.2 7 13 7 13s7-7.8 7-13a7 7 0 0 0-7-7zm0 9.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5z",
}

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS(SVG, "path")
  path.setAttribute("d", ICONS[name])
  svg.append(path)
  return svg
}

function iconButton(className, name, label, act) {
  const button = element("button", className)
  button.type = "button"
  button.title = label
  button.setAttribute("aria-label", label)
  button.append(icon(name))
  button.addEventListener("click", act)
  return button
}

function genreLabel(track) {
  const label = element("span", "genre")
  const dot = element("span", `dot ${track.marker}`)
  dot.style.background = track.colour
  label.title = track.genre
  label.append(dot, document.createTextNode(track.genre))
  return label
}

// Buttons that open a track on other pages; `act` receives the action and the track.
function actionButtons(actions, track, act) {
  const node = element("div", "actions")
  for (const action of actions) {
    const button = element("button", "choose")
    button.type = "button"
    button.title = action.label
    button.setAttribute("aria-label", `${action.label}: ${track.title}`)
    button.append(icon(action.name))
    button.addEventListener("click", () => act({ action: action.name, track: track.id }))
    node.append(button)
  }
  return node
}
