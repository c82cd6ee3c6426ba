import { area, curveStepAfter, line } from 'd3-shape'
import type { PageLayer } from './data.ts'

const height = 96
const top = 8
const bottom = 84

/** Bars for what each layer adds and wastes, and a line for what the image has grown to. */
export function drawTimeline(
  canvas: HTMLCanvasElement,
  layers: readonly PageLayer[],
  selected: { readonly layer: number | undefined; readonly color: (layer: number) => string },
): void {
  const scale = window.devicePixelRatio || 1
  const width = canvas.clientWidth
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  const context = canvas.getContext('2d')
  if (!context) return
  context.scale(scale, scale)
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(name)
  const total = Math.max(
    1,
    layers.reduce((sum, { size }) => sum + size, 0),
  )
  const step = width / Math.max(1, layers.length)
  const y = (bytes: number): number => bottom - (bytes / total) * (bottom - top)
  let grown = 0
  const points: [number, number][] = [[0, y(0)]]
  layers.forEach((layer, i) => {
    grown += layer.size
    points.push([i * step, y(grown)])
  })
  points.push([width, y(grown)])
  context.fillStyle = color('--directory')
  context.beginPath()
  area<[number, number]>()
    .curve(curveStepAfter)
    .x(([x]) => x)
    .y1(([, value]) => value)
    .y0(bottom)
    .context(context)(points)
  context.fill()
  layers.forEach((layer, i) => {
    const [x, wide] = [i * step + 2, Math.max(1, step - 4)]
    context.fillStyle = selected.color(i)
    context.fillRect(x, y(layer.size), wide, bottom - y(layer.size))
    context.fillStyle = color('--waste')
    context.fillRect(x, y(layer.hidden), wide, bottom - y(layer.hidden))
    if (selected.layer === i) {
      context.strokeStyle = color('--focus')
      context.lineWidth = 2
      context.strokeRect(x - 1, top - 6, wide + 2, bottom - top + 8)
    }
  })
  context.strokeStyle = color('--text')
  context.lineWidth = 1.5
  context.beginPath()
  line<[number, number]>()
    .curve(curveStepAfter)
    .x(([x]) => x)
    .y(([, value]) => value)
    .context(context)(points)
  context.stroke()
}

/** The layer at a place of the timeline. */
export function layerAt(canvas: HTMLCanvasElement, x: number, layers: number): number {
  return Math.min(layers - 1, Math.max(0, Math.floor((x / Math.max(1, canvas.clientWidth)) * layers)))
}
