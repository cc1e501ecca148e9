// Playlists side by side; a track that occurs in several is marked, and highlighted in all on hover.

function columnItem(player, data, track, act) {
  const node = element("li", "item")
  node.dataset.track = track.id
  const button = playButton(player, track)
  const words = element("div", "words")
  words.append(element("div", "title", track.title), element("div", "artist", track.artist))
  const meta = element("div", "meta")
  if (track.genre && !data.blind) meta.append(genreLabel(track))
  if (track.shared > 1) meta.append(element("span", "shared", `in ${track.shared} of ${data.columns.length}`))
  if (data.blind) meta.append(element("span", "licence", track.licence))
  const seek = seekBar(player, track)
  words.append(meta, seek.node)
  node.append(button, words)
  if (data.actions.length) node.append(actionButtons(data.actions, track, act))
  return { ...seek, track, node, button }
}

function columns(player, data, act) {
  const node = element("div", "columns")
  const rows = []
  for (const column of data.columns) {
    const part = element("section", "column")
    const title = element("div", "column-title", column.title)
    title.id = `column-${column.name}`
    const list = element("ol")
    list.setAttribute("aria-labelledby", title.id)
    const items = column.tracks.map((track) => columnItem(player, data, track, act))
    list.append(...items.map((item) => item.node))
    part.append(title, list)
    if (column.note) part.append(element("div", "note", column.note))
    node.append(part)
    rows.push(...items)
  }
  const light = (track) => rows.forEach((row) => row.node.classList.toggle(
    "lit", row.track.shared > 1 && row.track.id === track))
  for (const row of rows) {
    for (const event of ["pointerenter", "focusin"]) row.node.addEventListener(event, () => light(row.track.id))
    for (const event of ["pointerleave", "focusout"]) row.node.addEventListener(event, () => light(null))
  }
  return { node, rows }
}
