// The link by which an audience joins a vote, as a QR code and as text.

export default function ({ data: [data], parentElement }) {
  const root = parentElement.querySelector(".root")
  const code = document.importNode(new DOMParser().parseFromString(data.code, "image/svg+xml").documentElement, true)
  code.setAttribute("role", "img")
  code.setAttribute("aria-label", "QR code of the link")
  const link = document.createElement("a")
  link.href = data.link
  link.target = "_blank"
  link.textContent = data.link.replace(/^https?:\/\//, "")
  root.replaceChildren(code, link)
}
