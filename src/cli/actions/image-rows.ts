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
  /** What the name stood for at its registry; undefined for what did not come from one. */
  readonly digest: string | undefined
  /** Bytes of all layers that are here. */
  readonly size: number
  /** Bytes to be downloaded for those that are not. */
  readonly elsewhere: number
}

/** How to show it. */
export interface ImagesView {
  readonly truncate: boolean
  /** Show digests, too. */
  readonly digests: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  readonly width?: number
}

/** REPOSITORY, TAG, IMAGE ID, CREATED, SIZE. */
export function renderImages(rows: readonly ImageRow[], view: ImagesView): string {
  const columns: Column<ImageRow>[] = [
    { title: 'REPOSITORY', cell: row => row.repository ?? '<none>', shrinks: true },
    { title: 'TAG', cell: row => row.tag ?? '<none>' },
    ...(view.digests ? [{ title: 'DIGEST', cell: (row: ImageRow) => row.digest ?? '<none>' }] : []),
    { title: 'IMAGE ID', cell: row => idText(row.id, view.truncate) },
    { title: 'CREATED', cell: row => formatAge(row.created, view.now) },
    { title: 'SIZE', cell: sizeText },
  ]
  return renderTable(columns, rows, view.width)
}

/** What is still at a registry is counted as it would be downloaded: compressed. */
function sizeText({ size, elsewhere }: ImageRow): string {
  if (elsewhere === 0) return formatSize(size)
  return size === 0 ? `${formatSize(elsewhere)} remote` : `${formatSize(size)} + ${formatSize(elsewhere)} remote`
}

/** Docker's field names, one object a line; `SizeBytes` and `RemoteBytes` (still to be downloaded) besides. */
export function renderImagesJson(rows: readonly ImageRow[], view: ImagesView): string {
  return renderJsonLines(
    rows.map(row => ({
      Repository: row.repository ?? '<none>',
      Tag: row.tag ?? '<none>',
      Digest: row.digest ?? '<none>',
      ID: idText(row.id, view.truncate),
      CreatedAt: dateText(row.created),
      CreatedSince: formatAge(row.created, view.now),
      Size: formatSize(row.size),
      SizeBytes: row.size,
      RemoteBytes: row.elsewhere,
    })),
  )
}
