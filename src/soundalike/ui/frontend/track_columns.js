// Playlists side by side; a track that occurs in several is marked, and highlighted in all on hover.

function columnItem(list, data, track, act) {
  const node = element("li", "item")
  node.dataset.track = track.id
  const button = playButton(track, list)
  const words = element("div", "words")
  words.append(element("div", "title", track.title), element("div", "artist", track.artist))
  const meta = element("div", "meta")
  if (track.genre && !data.blind) meta.append(genreLabel(track))
  if (track.shared > 1) meta.append(element("span", "shared", `in ${track.shared} of ${data.columns.length}`))
  if (data.blind) meta.append(element("span", "licence", track.licence))
  const failed = failure(track)
  words.append(meta, failed)
  node.append(button, words)
  if (data.actions.length) node.append(actionButtons(data.actions, track, act))
  return { failed, track, node, button }
}

function columns(data, act) {
  const node = element("div", "columns")
  const rows = []
  const lists = []
  for (const column of data.columns) {
    const part = element("section", "column")
    const title = element("div", "column-title", column.title)
    title.id = `column-${column.name}`
    const list = { key: `${data.key} ${column.name}`, tracks: column.tracks, why: null }
    const items = column.tracks.map((track) => columnItem(list, data, track, act))
    const shown = element("ol")
    shown.setAttribute("aria-labelledby", title.id)
    shown.append(...items.map((item) => item.node))
    part.append(title, shown)
    if (column.note) part.append(element("div", "note", column.note))
    node.append(part)
    rows.push(...items)
    lists.push(list)
  }
  const light = (track) => rows.forEach((row) => row.node.classList.toggle(
    "lit", row.track.shared > 1 && row.track.id === track))
  for (const row of rows) {
    for (const event of ["pointerenter", "focusin"]) row.node.addEventListener(event, () => light(row.track.id))
    for (const event of ["pointerleave", "focusout"]) row.node.addEventListener(event, () => light(null))
  }
  return { node, rows, lists }
}
