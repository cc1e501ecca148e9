// Puts a page's settings into the address without a new entry in the history, as when a page is opened.

export default function ({ data: [data] }) {
  if (data.search !== null && location.search !== data.search) {
    history.replaceState(history.state, "", `${location.pathname}${data.search}`)
  }
}
