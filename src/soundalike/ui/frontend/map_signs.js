// Texts over the map that never cover each other or a mark: names of regions, and numbers of a path.
//
// They are drawn as elements that don't catch the pointer. Numbers have priority, then names of large
// regions, then strong names. What doesn't fit is hidden until zooming makes room. Lists for screen
// readers have all of them.

const ZOOM_OF_LEVEL = [0, 1.5, 2.5]
const GAP = 4
const RIM = 2
const AROUND = [[0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]]

const boxAround = (x, y, halfWidth, halfHeight) =>
  ({ left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight })

const overlap = (a, b) =>
  a.left < b.right + GAP && b.left < a.right + GAP && a.top < b.bottom + GAP && b.top < a.bottom + GAP

class Signs {
  constructor() {
    this.node = element("div", "signs")
    this.node.setAttribute("aria-hidden", "true")
    this.lists = element("div", "unseen")
    this.all = []
  }

  show(regions, path) {
    const wanted = JSON.stringify([regions, path])
    if (this.shown === wanted) return
    this.shown = wanted
    const numbers = path.map((mark, i) => this.make("number", String(i + 1), mark.at, 0))
    const names = regions.map(({ name, at, level }) => this.make(`region level-${level}`, name, at, ZOOM_OF_LEVEL[level]))
    this.all = [...numbers, ...names]
    this.node.replaceChildren(...this.all.map((sign) => sign.node))
    this.lists.replaceChildren(
      ...this.list("ul", "Regions of the map, by sound", [...new Set(regions.map(({ name }) => name))]),
      ...this.list("ol", "Path on the map", path.map(({ title, artist }) => [title, artist].filter(Boolean).join(", "))),
    )
  }

  make(className, text, at, zoom) {
    return { node: element("span", className, text), beside: className === "number", at, zoom }
  }

  list(tag, label, texts) {
    if (!texts.length) return []
    const node = element(tag)
    node.setAttribute("aria-label", label)
    node.append(...texts.map((text) => element("li", "", text)))
    return [node]
  }

  // Place what fits beside the boxes that are taken.
  place(camera, taken, size) {
    const boxes = [...taken]
    for (const sign of this.all) {
      sign.width ||= sign.node.offsetWidth
      sign.height ||= sign.node.offsetHeight
      const box = camera.view.zoom >= sign.zoom && this.options(sign, camera, size).find((option) =>
        option.left >= 0 && option.top >= 0 && option.right <= camera.width && option.bottom <= camera.height &&
        !boxes.some((other) => overlap(option, other)))
      sign.node.classList.toggle("shown", Boolean(box))
      if (!box) continue
      sign.node.style.transform = `translate(${box.left}px, ${box.top}px)`
      boxes.push(box)
    }
  }

  // Where a sign may be: a name over its region, a number beside its point.
  options({ beside, at, width, height }, camera, size) {
    const [x, y] = camera.one(at)
    if (!beside) return [boxAround(x, y, width / 2, height / 2)]
    return [GAP, 4 * GAP].flatMap((off) => AROUND.map(([right, down]) => {
      const away = size + RIM + off
      return boxAround(x + right * (away + width / 2), y + down * (away + height / 2), width / 2, height / 2)
    }))
  }
}
