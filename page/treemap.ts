import { hierarchy, type HierarchyRectangularNode, treemap, treemapSquarify } from 'd3-hierarchy'
import { formatBytes, type Item } from './model.ts'

export interface MapView {
  readonly value: (item: Item) => number
  readonly fill: (item: Item) => string
  /** How much of an item's value is struck through: hidden bytes. */
  readonly struck: (item: Item) => number
  readonly isMatch: ((item: Item) => boolean) | undefined
}

type Box = HierarchyRectangularNode<Item>

const titleHeight = 18
const smallest = 3

/** A treemap on a canvas: areas are bytes. Moves with arrow keys, Enter goes in, Backspace or Escape goes out. */
export function openTreemap(canvas: HTMLCanvasElement, onFocus: (item: Item) => void, onZoom: (item: Item) => void) {
  let root: Item | undefined
  let view: MapView | undefined
  let boxes: Box[] = []
  let focused: Item | undefined

  const layOut = (): void => {
    if (!root || !view) return
    const { value } = view
    const width = canvas.clientWidth
    const height = canvas.clientHeight
    const tree = hierarchy<Item>(root, item => item.children?.filter(child => value(child) > 0))
    // Directories only hold what is in them.
    tree.sum(item => (item.children ? 0 : value(item))).sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
    const laid = treemap<Item>()
      .tile(treemapSquarify)
      .size([width, height])
      .paddingTop(node => (node.x1 - node.x0 > 50 && node.y1 - node.y0 > 40 ? titleHeight : 1))
      .paddingInner(1)
      .paddingRight(1)
      .paddingBottom(1)
      .paddingLeft(1)(tree)
    boxes = []
    laid.eachBefore(node => {
      if (node.x1 - node.x0 >= smallest && node.y1 - node.y0 >= smallest) boxes.push(node)
    })
  }

  const draw = (): void => {
    const scale = window.devicePixelRatio || 1
    canvas.width = Math.round(canvas.clientWidth * scale)
    canvas.height = Math.round(canvas.clientHeight * scale)
    const context = canvas.getContext('2d')
    if (!context || !view) return
    context.scale(scale, scale)
    const style = getComputedStyle(document.documentElement)
    const colors = {
      frame: style.getPropertyValue('--frame'),
      text: style.getPropertyValue('--map-text'),
      directory: style.getPropertyValue('--directory'),
      directoryText: style.getPropertyValue('--text'),
      focus: style.getPropertyValue('--focus'),
      waste: style.getPropertyValue('--waste'),
    }
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight)
    context.font = '12px system-ui, sans-serif'
    context.textBaseline = 'middle'
    for (const box of boxes) drawBox(context, box, { view, colors })
    const box = boxes.find(each => each.data === focused)
    if (box) {
      context.strokeStyle = colors.focus
      context.lineWidth = 3
      context.strokeRect(box.x0 + 1.5, box.y0 + 1.5, box.x1 - box.x0 - 3, box.y1 - box.y0 - 3)
    }
  }

  const focus = (item: Item | undefined): void => {
    focused = item
    draw()
    if (item) onFocus(item)
  }

  const at = (x: number, y: number): Item | undefined =>
    boxes.findLast(box => x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1)?.data

  canvas.addEventListener('mousemove', event => {
    const item = at(event.offsetX, event.offsetY)
    if (item !== focused) focus(item)
  })
  canvas.addEventListener('click', event => {
    const item = at(event.offsetX, event.offsetY)
    if (!item) return
    const inside = childOf(root, item)
    onZoom(inside?.children ? inside : item)
  })
  canvas.addEventListener('keydown', event => {
    const next = keyTarget(event.key, { root, focused, boxes })
    if (next === undefined) return
    event.preventDefault()
    if (next === 'in') {
      if (focused?.children) onZoom(focused)
    } else if (next === 'out') {
      if (root?.parent) onZoom(root.parent)
    } else focus(next)
  })

  return {
    show: (item: Item, next: MapView): void => {
      root = item
      view = next
      layOut()
      draw()
    },
    redraw: (): void => {
      layOut()
      draw()
    },
    focus,
  }
}

interface Colors {
  readonly frame: string
  readonly text: string
  readonly directory: string
  readonly directoryText: string
  readonly waste: string
}

function drawBox(
  context: CanvasRenderingContext2D,
  box: Box,
  { view, colors }: { readonly view: MapView; readonly colors: Colors },
): void {
  const { data, x0, y0, x1, y1 } = box
  const [width, height] = [x1 - x0, y1 - y0]
  const isOpen = data.children !== undefined && box.children !== undefined
  context.globalAlpha = view.isMatch && !isOpen && !view.isMatch(data) ? 0.18 : 1
  context.fillStyle = isOpen ? colors.directory : view.fill(data)
  context.fillRect(x0, y0, width, height)
  const struck = isOpen ? 0 : view.struck(data) / Math.max(1, view.value(data))
  if (struck > 0) hatch(context, { ...box, x0: x1 - width * Math.min(1, struck) }, colors.waste)
  context.globalAlpha = 1
  if (isOpen) {
    context.strokeStyle = colors.frame
    context.lineWidth = 1
    context.strokeRect(x0 + 0.5, y0 + 0.5, width - 1, height - 1)
  }
  const fits = isOpen ? width > 50 && height > 40 : width > 44 && height > 15
  const text = fits ? labelFor(context, data.name || '/', { size: formatBytes(view.value(data)), room: width - 9 }) : ''
  if (text === '') return
  const line = isOpen ? titleHeight : Math.min(height, 18)
  if (struck > 0) {
    // Letters between oblique lines are hard to read.
    context.fillStyle = view.fill(data)
    context.fillRect(x0 + 1, y0 + (line - 14) / 2, Math.min(width - 2, context.measureText(text).width + 6), 14)
  }
  context.fillStyle = isOpen ? colors.directoryText : colors.text
  context.fillText(text, x0 + 4, y0 + line / 2)
}

/** Name and size where there is room for both, else the name, cut off where it must be; nothing where too little of it is left. */
function labelFor(
  context: CanvasRenderingContext2D,
  name: string,
  { size, room }: { readonly size: string; readonly room: number },
): string {
  const fits = (text: string): boolean => context.measureText(text).width <= room
  const whole = `${name}  ${size}`
  if (fits(whole)) return whole
  if (fits(name)) return name
  let [least, most] = [0, name.length - 1]
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (fits(`${name.slice(0, middle)}…`)) least = middle
    else most = middle - 1
  }
  return least < 3 ? '' : `${name.slice(0, least)}…`
}

/** Oblique lines: readable without colours, too. */
function hatch(
  context: CanvasRenderingContext2D,
  { x0, y0, x1, y1 }: Pick<Box, 'x0' | 'y0' | 'x1' | 'y1'>,
  color: string,
): void {
  context.save()
  context.beginPath()
  context.rect(x0, y0, x1 - x0, y1 - y0)
  context.clip()
  context.strokeStyle = color
  context.lineWidth = 1.5
  context.beginPath()
  for (let x = x0 - (y1 - y0); x < x1; x += 7) {
    context.moveTo(x, y1)
    context.lineTo(x + (y1 - y0), y0)
  }
  context.stroke()
  context.restore()
}

/** The child of `root` on the way to `item`. */
function childOf(root: Item | undefined, item: Item): Item | undefined {
  let at: Item | undefined = item
  while (at && at.parent !== root) at = at.parent
  return at
}

interface KeyContext {
  readonly root: Item | undefined
  readonly focused: Item | undefined
  readonly boxes: readonly Box[]
}

/** Arrows go to the nearest box of the same depth in that direction. */
function keyTarget(key: string, { root, focused, boxes }: KeyContext): Item | 'in' | 'out' | undefined {
  if (key === 'Enter' || key === ' ') return 'in'
  if (key === 'Escape' || key === 'Backspace') return 'out'
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key]
  if (!direction) return undefined
  const [dx = 0, dy = 0] = direction
  const from = boxes.find(({ data }) => data === focused)
  if (!from || from.data === root) return boxes.find(({ depth }) => depth === 1)?.data
  const middle = ({ x0, x1, y0, y1 }: Box): [number, number] => [(x0 + x1) / 2, (y0 + y1) / 2]
  const [x, y] = middle(from)
  let best: { item: Item; distance: number } | undefined
  for (const box of boxes) {
    if (box.depth !== from.depth || box === from) continue
    const [u, v] = middle(box)
    const [along, across] = dx === 0 ? [(v - y) * dy, Math.abs(u - x)] : [(u - x) * dx, Math.abs(v - y)]
    const distance = along + 2 * across
    if (along > 1 && (!best || distance < best.distance)) best = { item: box.data, distance }
  }
  return best?.item
}
