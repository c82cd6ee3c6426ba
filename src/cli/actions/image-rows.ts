import { formatAge } from '../age.ts'
import { formatSize } from '../size.ts'
import { type Column, renderJsonLines, renderTable } from '../table.ts'
import { dateText, idText } from './history-rows.ts'

/** A name of an image, or an image without one. */
export interface ImageRow {
  /** As people type it: `debian`; undefined for an image without a name. */
  readonly repository: string | undefined
  readonly tag: string | undefined
  /** `sha256:…`. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly created: number | undefined
  /** Bytes of all layers. */
  readonly size: number
}

/** How to show it. */
export interface ImagesView {
  readonly truncate: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  readonly width?: number
}

/** REPOSITORY, TAG, IMAGE ID, CREATED, SIZE. */
export function renderImages(rows: readonly ImageRow[], view: ImagesView): string {
  const columns: Column<ImageRow>[] = [
    { title: 'REPOSITORY', cell: row => row.repository ?? '<none>', shrinks: true },
    { title: 'TAG', cell: row => row.tag ?? '<none>' },
    { title: 'IMAGE ID', cell: row => idText(row.id, view.truncate) },
    { title: 'CREATED', cell: row => formatAge(row.created, view.now) },
    { title: 'SIZE', cell: row => formatSize(row.size) },
  ]
  return renderTable(columns, rows, view.width)
}

/** Docker's field names, one object a line; `SizeBytes` besides. */
export function renderImagesJson(rows: readonly ImageRow[], view: ImagesView): string {
  return renderJsonLines(
    rows.map(row => ({
      Repository: row.repository ?? '<none>',
      Tag: row.tag ?? '<none>',
      ID: idText(row.id, view.truncate),
      CreatedAt: dateText(row.created),
      CreatedSince: formatAge(row.created, view.now),
      Size: formatSize(row.size),
      SizeBytes: row.size,
    })),
  )
}
