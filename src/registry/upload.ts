import { UserError } from '#diagnostics'
import { type Http, HttpError, type HttpResponse } from '#http'
import { Sha256 } from '#oci'
import { askedOf, hasBlob, type Place, pushScope } from './place.ts'
import { registryError, RegistryError } from './registry-error.ts'
import type { StoredBlob } from './repository.ts'

export interface UploadOptions {
  readonly http: Http
  /** Verified before the blob becomes visible. */
  readonly expected?: StoredBlob
  readonly signal?: AbortSignal
}

/** One upload to one place, tried as often as it takes. */
interface Upload extends UploadOptions {
  readonly place: Place
  readonly source: () => AsyncIterable<Uint8Array>
}

/**
 * How bytes go: in one PATCH that streams; in several of some size, for who wants to know each one's length or limits it; in the
 * PUT itself, for who knows no PATCH.
 */
type Way = 'stream' | 'chunks' | 'whole'

const chunkSize = 16 << 20
const largestChunk = 128 << 20

/**
 * Uploads a blob (distribution-spec, "Pushing blobs"): its digest is told at the end, so nothing is kept while it is made. What breaks
 * begins again with a fresh source.
 */
export async function uploadBlob(
  place: Place,
  source: () => AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<StoredBlob> {
  const upload: Upload = { ...options, place, source }
  const { http, expected, signal } = options
  let way: Way = 'stream'
  for (let failures = 0; ; ) {
    try {
      return await attempt(upload, way)
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof HttpError)) throw error
      const other = otherWay(way, error.status)
      if (other !== undefined) {
        way = other
        continue
      }
      failures++
      const worthIt = error.status === undefined || error.status >= 500 || worthAgain.has(error.status)
      if (!worthIt || !(await http.backOff(failures, signal))) {
        throw registryError(askedOf(place, 'upload a blob to'), error)
      }
      if (expected !== undefined && (await hasBlob(place, expected))) return expected
    }
  }
}

/** The session of the upload is gone, is elsewhere than we think, or there were too many of them. */
const worthAgain: ReadonlySet<number> = new Set([404, 408, 416, 429])

function otherWay(way: Way, status: number | undefined): Way | undefined {
  if (way === 'stream' && (status === 411 || status === 413)) return 'chunks'
  if (way !== 'whole' && (status === 405 || status === 501)) return 'whole'
  return undefined
}

async function attempt(upload: Upload, way: Way): Promise<StoredBlob> {
  const begun = await begin(upload)
  try {
    if (way === 'whole') return await putWhole(upload, begun.location)
    const sent = way === 'stream' ? await patch(upload, begun.location) : await patchChunks(upload, begun)
    return await finish(upload, sent)
  } catch (error) {
    await cancel(upload, begun.location)
    throw error
  }
}

interface Begun {
  readonly location: URL
  /** Bytes that a chunk has at least, if the server says so. */
  readonly chunk: number
}

interface Sent {
  readonly location: URL
  readonly blob: StoredBlob
}

async function begin(upload: Upload): Promise<Begun> {
  const { place } = upload
  const response = await ask(upload, {
    url: `/v2/${place.path}/blobs/uploads/`,
    method: 'POST',
    repeatable: true,
    headers: { 'content-length': '0' },
  })
  await response.discard()
  const least = Number(response.header('oci-chunk-min-length') ?? 0)
  if (least > largestChunk) {
    throw broken(upload, `wants chunks of at least ${least} bytes`)
  }
  return { location: locationOf(upload, response), chunk: Math.max(chunkSize, Number.isFinite(least) ? least : 0) }
}

/** Where the upload goes on: relative to where the answer came from, or at another host. */
function locationOf(upload: Upload, response: HttpResponse, fallback?: URL): URL {
  const location = response.header('location')
  if (location !== undefined && URL.canParse(location, response.url)) {
    const url = new URL(location, response.url)
    const downgrade = url.protocol !== 'https:' && response.url.startsWith('https:')
    if (/^https?:$/.test(url.protocol) && !downgrade) return url
  } else if (location === undefined && fallback !== undefined) {
    return fallback
  }
  throw broken(upload, 'does not say where an upload goes on')
}

async function patch(upload: Upload, location: URL): Promise<Sent> {
  const { expected } = upload
  if (expected?.size === 0) return { location, blob: expected }
  const counted = counting(upload.source)
  const response = await ask(upload, {
    url: location,
    method: 'PATCH',
    headers: {
      'content-type': 'application/octet-stream',
      ...(expected !== undefined && { 'content-length': String(expected.size) }),
    },
    body: counted.open,
  })
  await response.discard()
  return { location: locationOf(upload, response, location), blob: await wholeBlob(upload, counted) }
}

async function patchChunks(upload: Upload, { location: first, chunk }: Begun): Promise<Sent> {
  const counted = counting(upload.source)
  let location = first
  let at = 0
  for await (const bytes of chunksOf(counted.open(), chunk)) {
    const response = await ask(upload, {
      url: location,
      method: 'PATCH',
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${at}-${at + bytes.length - 1}` },
      body: bytes,
    })
    await response.discard()
    location = locationOf(upload, response, location)
    at += bytes.length
  }
  return { location, blob: await wholeBlob(upload, counted) }
}

async function* chunksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = []
  let pendingSize = 0
  for await (const bytes of source) {
    pending.push(bytes)
    pendingSize += bytes.length
    if (pendingSize < size) continue
    yield Buffer.concat(pending)
    pending = []
    pendingSize = 0
  }
  if (pendingSize > 0) yield Buffer.concat(pending)
}

/** PUT wants the digest beforehand: where nobody knows it, the source is read once for it alone. */
async function putWhole(upload: Upload, location: URL): Promise<StoredBlob> {
  const blob = upload.expected ?? (await measure(upload))
  const counted = counting(upload.source)
  const response = await ask(upload, {
    url: withDigest(location, blob),
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
    body: counted.open,
  })
  await response.discard()
  verify(upload, await wholeBlob(upload, counted), blob)
  return blob
}

async function measure(upload: Upload): Promise<StoredBlob> {
  const counted = counting(upload.source)
  for await (const _ of counted.open());
  return wholeBlob(upload, counted)
}

async function finish(upload: Upload, { location, blob }: Sent): Promise<StoredBlob> {
  if (upload.expected !== undefined) verify(upload, blob, upload.expected)
  const response = await ask(upload, {
    url: withDigest(location, blob),
    method: 'PUT',
    headers: { 'content-length': '0' },
  }).catch(async (error: unknown) => {
    // The answer to the PUT that worked was lost, and the one that was sent again found no upload.
    if (error instanceof HttpError && error.status === 404 && (await hasBlob(upload.place, blob))) return undefined
    throw error
  })
  await response?.discard()
  const said = response?.header('docker-content-digest')
  if (said !== undefined && said !== blob.digest)
    throw broken(upload, `stored blob ${blob.digest} under another digest`)
  return blob
}

function verify({ place }: Upload, found: StoredBlob, expected: StoredBlob): void {
  if (found.digest === expected.digest && found.size === expected.size) return
  throw new UserError(
    `a blob for ${place.server.registry}/${place.path} has digest ${found.digest} and ${found.size} bytes instead of ${expected.digest} and ${expected.size}`,
    { hint: 'its source is damaged, or changed in the meantime; nothing was published' },
  )
}

function withDigest(location: URL, { digest }: StoredBlob): URL {
  const url = new URL(location)
  url.searchParams.set('digest', digest)
  return url
}

/** A source that is hashed whenever it is read. */
interface Counted {
  readonly open: () => AsyncIterable<Uint8Array>
  /** What the last reading gave, once the source has come to its end; undefined: it was not read to its end. */
  readonly blob: () => Promise<StoredBlob | undefined>
}

function counting(source: () => AsyncIterable<Uint8Array>): Counted {
  let last: Promise<StoredBlob | undefined> = Promise.resolve(undefined)
  const open = (): AsyncIterable<Uint8Array> => {
    const { promise, resolve } = Promise.withResolvers<StoredBlob | undefined>()
    last = promise
    return hashed(source(), resolve)
  }
  return { open, blob: () => last }
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  onEnd: (blob: StoredBlob | undefined) => void,
): AsyncGenerator<Uint8Array> {
  const hash = new Sha256()
  let blob: StoredBlob | undefined
  try {
    for await (const bytes of source) {
      hash.update(bytes)
      yield bytes
    }
    blob = { size: hash.size, digest: hash.digest() }
  } finally {
    onEnd(blob)
  }
}

/** A server can answer when it has all bytes, and before we know that these were all. */
async function wholeBlob(upload: Upload, counted: Counted): Promise<StoredBlob> {
  const blob = await counted.blob()
  if (blob === undefined) throw broken(upload, 'answered before it had the whole blob')
  return blob
}

/** So that the registry need not keep what nobody will finish; whether that works is nothing to wait for. */
async function cancel(upload: Upload, location: URL): Promise<void> {
  if (upload.signal?.aborted === true) return
  const response = await upload.place.server
    .request({
      url: location,
      method: 'DELETE',
      scopes: [pushScope(upload.place.path)],
      attempts: 1,
      allow: [400, 401, 403, 404, 405, 500, 502, 503],
    })
    .catch(() => undefined)
  await response?.discard()
}

function ask(upload: Upload, wanted: Omit<Parameters<Place['server']['request']>[0], 'scopes'>): Promise<HttpResponse> {
  const { server, path } = upload.place
  return server.request({ ...wanted, scopes: [pushScope(path)] })
}

function broken({ place }: Upload, problem: string): RegistryError {
  return new RegistryError(`${place.server.registry} ${problem}`, {
    ...askedOf(place, 'upload a blob to'),
    hint: 'the server does not keep to the protocol of registries',
  })
}
