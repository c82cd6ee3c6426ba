import { stripVTControlCharacters } from 'node:util'
import type { ProgressEvent } from '#diagnostics'
import { textWidth } from '../text-width.ts'
import { openLiveView, type WindowSize } from './live-view.ts'

/** Between two redraws (milliseconds): 10 a second. */
const redrawInterval = 100

/** Hide and show the cursor (DECTCEM); begin and end a synchronised update, which other terminals ignore. */
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const beginUpdate = '\x1b[?2026h'
const endUpdate = '\x1b[?2026l'

/** The parts of a terminal stream that are used. */
export interface TerminalStream {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** Draws on a terminal until closed. */
export interface Tty {
  readonly take: (event: ProgressEvent) => void
  /** Shows how it ended and gives the terminal back; may be called again. */
  readonly close: () => void
}

/** The window, or 80 x 24 where the terminal doesn't say. */
export function windowOf(stream: TerminalStream): WindowSize {
  return { columns: stream.columns || 80, rows: stream.rows || 24 }
}

/**
 * Shows progress on a terminal. The cursor is given back when closed and, whatever happens, when the process exits.
 */
export function openTty(stream: TerminalStream, options: { readonly color: boolean }, now: () => number): Tty {
  const view = openLiveView(options)
  const screen = openScreen(stream)
  let open = true
  const draw = (): void => screen.draw(view.finished(windowOf(stream)), view.area(windowOf(stream), now()))
  const restore = (): void => screen.release()
  const timer = setInterval(draw, redrawInterval)
  timer.unref()
  process.on('exit', restore)
  return {
    take: view.take,
    close() {
      if (!open) return
      open = false
      clearInterval(timer)
      process.off('exit', restore)
      view.end(now())
      draw()
      screen.release()
    },
  }
}

/** Keeps account of what stands on the screen. */
export interface Screen {
  /** Replaces the area drawn before by lines that stay, followed by a new area. */
  readonly draw: (finished: readonly string[], area: readonly string[]) => void
  readonly release: () => void
}

/** A screen with nothing on it; the cursor is at the start of a line. */
export function openScreen(stream: TerminalStream): Screen {
  let drawn: readonly string[] = []
  let hidden = false
  return {
    draw(finished, area) {
      if (finished.length === 0 && area.length === drawn.length && area.every((line, i) => line === drawn[i])) return
      const up = rowsOf(drawn, windowOf(stream))
      const inPlace = finished.length === 0 && area.length === drawn.length && up === drawn.length
      let text = hidden || area.length === 0 ? '' : hideCursor
      hidden ||= area.length > 0
      // Row by row: clearing from the top of the window makes some terminals keep the cleared lines as history.
      text += inPlace ? `\x1b[${up}A\r` : `\r${'\x1b[1A\x1b[2K'.repeat(up)}`
      text += finished.map(line => `${line}\n`).join('')
      text += area.map(line => `${line}\x1b[K\n`).join('')
      drawn = area
      stream.write(`${beginUpdate}${text}${endUpdate}`)
    },
    release() {
      if (hidden) stream.write(showCursor)
      hidden = false
    },
  }
}

/**
 * Rows that `lines` take in the window as it is now: a terminal that became narrower has wrapped what it showed.
 */
function rowsOf(lines: readonly string[], { columns, rows }: WindowSize): number {
  const taken = lines.reduce(
    (sum, line) => sum + Math.max(1, Math.ceil(textWidth(stripVTControlCharacters(line)) / columns)),
    0,
  )
  return Math.min(taken, rows - 1)
}
