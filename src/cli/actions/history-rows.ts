import type { ImageConfig } from '#oci'
import { formatAge } from '../age.ts'
import { formatSize } from '../size.ts'
import { type Column, renderJsonLines, renderTable } from '../table.ts'
import { oneLine } from '../text-width.ts'

/** One history entry of an image, as a person reads it. */
export interface HistoryRow {
  /** The image's id (`sha256:…`) for the newest entry; the others have none of their own. */
  readonly id: string | undefined
  /** Milliseconds since 1970. */
  readonly created: number | undefined
  readonly createdBy: string
  /** Bytes of the layer's files; 0 for an entry without a layer. */
  readonly size: number
  readonly comment: string
}

/** An image and the size of each of its layers, in the order of `rootfs.diff_ids`. */
export interface SizedImage {
  readonly id: string
  readonly config: ImageConfig
  readonly layerSizes: readonly number[]
}

/**
 * The history of an image, the newest entry first. Layers that no entry tells of (history is optional, image-spec
 * config.md) get rows of their own, so that the sizes always add up to the image's.
 */
export function historyRows({ id, config, layerSizes }: SizedImage): HistoryRow[] {
  let layer = 0
  const rows = config.history.map(entry => ({
    id: undefined,
    created: timeOf(entry.created),
    createdBy: entry.created_by ?? '',
    size: entry.empty_layer === true ? 0 : (layerSizes[layer++] ?? 0),
    comment: entry.comment ?? '',
  }))
  const untold = layerSizes
    .slice(layer)
    .map(size => ({ id: undefined, created: undefined, createdBy: '', size, comment: '' }))
  const all: HistoryRow[] = [...rows, ...untold].reverse()
  return all.map((row, i) => (i === 0 ? { ...row, id } : row))
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** How to show it. */
export interface HistoryView {
  readonly truncate: boolean
  /** Rounded sizes and ages; else bytes and dates. */
  readonly human: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  /** The window's width where it goes to a terminal. */
  readonly width?: number
}

/** Docker cuts the instruction to this many characters. */
const createdByWidth = 45

/** IMAGE, CREATED, CREATED BY, SIZE, COMMENT. */
export function renderHistory(rows: readonly HistoryRow[], view: HistoryView): string {
  const columns: Column<HistoryRow>[] = [
    { title: 'IMAGE', cell: row => idText(row.id, view.truncate) },
    { title: 'CREATED', cell: row => (view.human ? formatAge(row.created, view.now) : dateText(row.created)) },
    { title: 'CREATED BY', cell: row => (view.truncate ? cut(row.createdBy) : row.createdBy), shrinks: true },
    { title: 'SIZE', cell: row => (view.human ? formatSize(row.size) : String(row.size)) },
    { title: 'COMMENT', cell: row => row.comment },
  ]
  return renderTable(columns, rows, view.truncate ? view.width : undefined)
}

/** Docker's field names, one object a line; `SizeBytes` and whole values besides. */
export function renderHistoryJson(rows: readonly HistoryRow[], view: HistoryView): string {
  return renderJsonLines(
    rows.map(row => ({
      ID: idText(row.id, view.truncate),
      CreatedAt: dateText(row.created),
      CreatedSince: formatAge(row.created, view.now),
      CreatedBy: view.truncate ? cut(row.createdBy) : row.createdBy,
      Size: view.human ? formatSize(row.size) : String(row.size),
      SizeBytes: row.size,
      Comment: row.comment,
    })),
  )
}

/** The id of a row: `<missing>` where it has none; 12 digits where shortened. */
export function idText(id: string | undefined, truncate: boolean): string {
  if (id === undefined) return '<missing>'
  return truncate ? id.replace(/^sha256:/, '').slice(0, 12) : id
}

/** RFC 3339 to the second, in UTC; `N/A` without a date. */
export function dateText(time: number | undefined): string {
  return time === undefined ? 'N/A' : new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

function cut(text: string): string {
  const characters = Array.from(oneLine(text))
  return characters.length <= createdByWidth
    ? characters.join('')
    : `${characters.slice(0, createdByWidth - 1).join('')}…`
}
