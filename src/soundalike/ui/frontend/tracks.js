// Tracks with a shared player: a table for a playlist, a card for one track, columns for several playlists.
//
// All text is set with textContent, never as HTML. Only one player plays at a time on the page: a player
// that starts dispatches an event on the window, and all others pause.

const states = new WeakMap()

// The player's state; it survives a redraw of the list around it.
function createPlayer() {
  const audio = new Audio()
  audio.preload = "none"
  const player = { audio, rows: [], current: null }
  const announce = () => window.dispatchEvent(new CustomEvent(PLAYING, { detail: player }))
  const pauseForOthers = (event) => { if (event.detail !== player) audio.pause() }

  const show = () => player.rows.forEach((row) => {
    const current = row.track.id === player.current
    const playing = current && !audio.paused
    row.node.classList.toggle("current", current)
    row.button.replaceChildren(icon(playing ? "pause" : "play"))
    row.button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${row.track.title}`)
    if (!current) return
    const length = Number.isFinite(audio.duration) ? audio.duration : 0
    row.range.max = length || 1
    row.range.value = audio.currentTime
    row.range.setAttribute("aria-valuetext", `${clock(audio.currentTime)} of ${clock(length)}`)
    row.time.textContent = `${clock(audio.currentTime)} / ${clock(length)}`
    row.failed.hidden = !audio.error
  })
  const showAll = () => {
    show()
    player.bar?.(player)
  }

  player.play = (track) => {
    if (player.current !== track.id) {
      player.current = track.id
      audio.src = track.url
    }
    announce()
    audio.play().catch(showAll)
  }
  player.toggle = (track) => {
    if (player.current === track.id && !audio.paused) audio.pause()
    else player.play(track)
  }
  player.seek = (track, seconds) => {
    if (player.current !== track.id) player.play(track)
    audio.currentTime = seconds
  }
  player.step = (by) => {
    const position = player.rows.findIndex((row) => row.track.id === player.current)
    const other = player.rows[position < 0 ? 0 : position + by]
    if (other) player.play(other.track)
  }
  player.show = showAll
  player.destroy = () => {
    audio.pause()
    audio.removeAttribute("src")
    window.removeEventListener(PLAYING, pauseForOthers)
  }
  for (const event of ["play", "pause", "timeupdate", "durationchange", "error"]) {
    audio.addEventListener(event, showAll)
  }
  audio.addEventListener("ended", () => player.step(1))
  window.addEventListener(PLAYING, pauseForOthers)
  return player
}

function playButton(player, track) {
  const button = element("button", "play")
  button.type = "button"
  button.addEventListener("click", () => player.toggle(track))
  return button
}

function seekBar(player, track) {
  const node = element("div", "seek")
  const range = element("input")
  Object.assign(range, { type: "range", min: 0, max: 30, step: 0.1, value: 0 })
  range.setAttribute("aria-label", `Position in ${track.title}`)
  range.addEventListener("input", () => player.seek(track, Number(range.value)))
  const time = element("span", "time", "0:00")
  const reason = track.url ? "This clip can't be played here." : "The file has been moved or deleted since indexing."
  const failed = element("span", "failed", reason)
  failed.hidden = true
  node.append(range, time, failed)
  return { node, range, time, failed }
}

function card(player, track) {
  const node = element("div", "single")
  const button = playButton(player, track)
  const words = element("div", "words")
  words.append(element("div", "title", track.title))
  words.append(element("div", "artist", [track.artist, track.album].filter(Boolean).join(" · ")))
  const meta = element("div", "meta")
  if (track.genre) meta.append(genreLabel(track))
  words.append(meta)
  if (track.licence) words.append(element("div", "licence", `Licence: ${track.licence}`))
  const seek = seekBar(player, track)
  words.append(seek.node)
  node.append(button, words)
  return { ...seek, track, node, button }
}

function meter(similarity) {
  const node = element("span", "meter")
  const fill = element("i")
  fill.style.width = `${Math.max(0, Math.min(1, similarity)) * 100}%`
  node.setAttribute("aria-hidden", "true")
  node.append(fill)
  return node
}

function tableRow(player, data, track, act) {
  const node = element("tr")
  node.dataset.track = track.id
  const cell = (className, ...content) => {
    const made = element("td", className)
    made.append(...content)
    node.append(made)
    return made
  }
  if (data.ranked) cell("rank", String(track.rank))
  const button = playButton(player, track)
  cell("play-cell", button)
  const artist = element("div", "artist", track.artist)
  if (track.album) artist.append(element("span", "album", ` · ${track.album}`))
  const seek = seekBar(player, track)
  const licence = element("div", "licence", track.licence)
  const reason = element("div", "reason", track.reason ?? "")
  cell("words", element("div", "title", track.title), artist, reason, licence, seek.node)
  cell("album-cell", element("span", "album", track.album))
  cell("genre-cell", genreLabel(track))
  const bar = track.share === null ? [] : [meter(track.share ?? track.similarity)]
  if (data.ranked) cell("similarity", ...bar, track.measured ?? track.similarity.toFixed(3))
  cell("choose-cell", data.edits ? editButtons(data, track, act) : actionButtons(data.actions, track, act))
  return { ...seek, track, node, button }
}

function table(player, data, act) {
  const node = element("table")
  node.append(element("caption", "", data.label))
  const head = element("tr")
  const columns = [
    data.ranked && ["Rank", "rank", true], ["Play", "play-cell", true],
    ["Title and artist", "words", false], ["Album", "album-cell", false], ["Genre", "genre-cell", false],
    data.ranked && [data.measure ?? "Similarity", "similarity", false], ["Actions", "choose-cell", true],
  ].filter(Boolean)
  for (const [name, className, unseen] of columns) {
    const cell = element("th", className)
    cell.scope = "col"
    cell.append(element("span", unseen ? "hidden" : "", name))
    head.append(cell)
  }
  const body = element("tbody")
  const rows = data.tracks.map((track) => tableRow(player, data, track, act))
  body.append(...rows.map((row) => row.node))
  const top = element("thead")
  top.append(head)
  node.append(top, body)
  return { node, rows }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement)
  if (!state) {
    state = { player: createPlayer(), drawn: null, started: null, said: "" }
    states.set(parentElement, state)
  }
  const { player } = state
  const wanted = JSON.stringify(data)
  if (state.drawn !== wanted) {
    state.drawn = wanted
    const root = parentElement.querySelector(".root")
    const shown = data.columns ? data.columns.flatMap((column) => column.tracks) : data.tracks
    const still = shown.some((track) => track.id === player.current)
    const place = player.rows.findIndex((row) => row.track.id === player.current)
    const follows = !still && !player.audio.paused && data.edits && isEdit(player.rows, shown)
    const back = refocus(root)
    if (!still) {
      player.audio.pause()
      player.current = null
    }
    if (data.kind === "card") {
      player.rows = data.tracks.map((track) => card(player, track))
      root.replaceChildren(...player.rows.map((row) => row.node))
    } else {
      const draw = data.kind === "columns" ? columns : table
      const drawn = draw(player, data, (chosen, said = "") => {
        state.said = said
        setTriggerValue("chosen", chosen)
      })
      player.rows = drawn.rows
      root.replaceChildren(...(data.edits ? [transport(player, root)] : []), drawn.node)
    }
    back()
    // An edit is announced once the playlist shows it.
    parentElement.querySelector(".said").textContent = state.said
    state.said = ""
    if (follows) player.play(player.rows[Math.min(place, player.rows.length - 1)].track)
    player.show()
  }
  if (data.start && state.started !== data.start) {
    state.started = data.start
    player.play(data.tracks[0])
  }
  return () => {
    player.destroy()
    states.delete(parentElement)
  }
}
