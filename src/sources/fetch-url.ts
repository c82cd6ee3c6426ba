import { createHash } from 'node:crypto'
import { readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'

import { join, posix } from 'node:path'
import { UserError } from '#diagnostics'
import type { Http } from '#http'
import { type Digest, isDigest } from '#oci'
import type { Store } from '#store'

export interface UrlRequest {
  /** `http:` or `https:`. */
  readonly url: string
  /** What the body must be. A body that is here already is not asked for again. */
  readonly checksum?: Digest
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly onBytes?: (done: number, total: number | undefined) => void
}

/** A body that lies in the store as a blob. */
export interface RemoteFile {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Absolute. */
  readonly path: string
  /** The server's Last-Modified, seconds since 1970. */
  readonly modified?: number
}

/** What is kept of a download: enough to ask whether it changed. */
interface DownloadRecord {
  readonly version: 1
  readonly digest: Digest
  readonly size: number
  readonly etag?: string
  readonly lastModified?: string
}

/**
 * The body of a URL as a blob. What was downloaded before is asked for with its ETag or date (RFC 9110, section 13.1), so
 * that an unchanged body is not sent again. Throws an `HttpError` for what the server refuses, a `UserError` for another
 * checksum.
 */
export async function fetchUrl(
  { store, http }: { readonly store: Store; readonly http: Http },
  request: UrlRequest,
): Promise<RemoteFile> {
  const file = join(store.directory('downloads'), createHash('sha256').update(request.url).digest('hex'))
  const known = readRecord(file, store)
  if (known && known.digest === request.checksum) return used(store, known)
  let head: { readonly status: number; header(name: string): string | undefined } | undefined
  await using blob = await store.blobs.begin()
  let done = 0
  const chunks = http.download({
    url: request.url,
    headers: { ...request.headers, ...(known && validators(known)) },
    onResponse: response => (head = response),
    signal: request.signal,
  })
  for await (const chunk of chunks) {
    await blob.write(chunk)
    done += chunk.length
    request.onBytes?.(done, numberOf(head?.header('content-length')))
  }
  if (known && head?.status === 304) return checked(request, used(store, known))
  const { digest, size } = await blob.commit()
  const etag = head?.header('etag')
  const lastModified = head?.header('last-modified')
  const record: DownloadRecord = {
    version: 1,
    digest,
    size,
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  }
  const temporary = await store.temporary('download')
  writeFileSync(temporary, JSON.stringify(record))
  renameSync(temporary, file)
  return checked(request, used(store, record))
}

/** The name of the file below a destination directory: the last component of the path (12.20), decoded. */
export function nameOfUrl(url: string): string {
  const { pathname } = new URL(url)
  let decoded = pathname
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    // A stray percent sign stands for itself.
  }
  const name = posix.basename(decoded)
  return name === '' || name === '.' || name === '..' || name.includes('\0') ? '__unnamed__' : name
}

function validators({ etag, lastModified }: DownloadRecord): Record<string, string> {
  if (etag !== undefined) return { 'if-none-match': etag }
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified }
}

/** Only a cache: a damaged record is none. */
function readRecord(file: string, store: Store): DownloadRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as DownloadRecord
    if (record.version === 1 && isDigest(record.digest) && store.blobs.exists(record.digest)) return record
  } catch {
    // Missing or damaged.
  }
  return undefined
}

/** Pruning leaves alone what a running build used. */
function used(store: Store, { digest, size, lastModified }: DownloadRecord): RemoteFile {
  const path = store.blobs.path(digest)
  const now = Date.now() / 1000
  utimesSync(path, now, now)
  const modified = lastModified === undefined ? Number.NaN : Date.parse(lastModified) / 1000
  return { digest, size, path, ...(Number.isSafeInteger(modified) && modified >= 0 && { modified }) }
}

function checked({ url, checksum }: UrlRequest, file: RemoteFile): RemoteFile {
  if (checksum === undefined || checksum === file.digest) return file
  const { host, pathname } = new URL(url)
  throw new UserError(`${host}${pathname} is not what --checksum says: it is ${file.digest}`, {
    hint: 'check the address and the checksum: the file has changed, or somebody changed it on the way',
  })
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
