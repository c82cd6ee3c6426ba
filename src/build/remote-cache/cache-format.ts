import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { UserError } from '#diagnostics'
import { type Descriptor, type Digest, isDigest, mediaTypes } from '#oci'
import type { CacheInputs } from '#store'

/** Media type of the records, which are the configuration of a cache's manifest (docs/cache.md). */
export const recordsType = 'application/vnd.slipway.cache.records.v1+json'
/** Type of a cache's manifest as an artifact (image-spec, manifest.md). */
export const cacheType = 'application/vnd.slipway.cache.v1'
/** Annotation of an image's manifest with the records of an inline cache: base64 of zstd of their JSON. */
export const inlineKey = 'vnd.slipway.cache.v1'

/** A layer that records speak of. */
export interface CachedLayer {
  readonly id: string
  readonly parent?: string
  readonly diffId?: Digest
  /** Bytes of file content. */
  readonly size?: number
  /** Bytes of the uncompressed archive: what comes is never longer. */
  readonly tarSize?: number
  /** RFC 3339. */
  readonly created: string
  /** Position in the layers of the manifest; absent: the cache does not have its bytes. */
  readonly blob?: number
}

/** Content of a cache mount. */
export interface CachedMount {
  readonly id: string
  readonly namespace?: string
  readonly diffId: Digest
  readonly tarSize: number
  /** Position in the layers of the manifest. */
  readonly blob: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** What a cache knows. */
export interface CacheRecords {
  readonly version: 1
  readonly layers: readonly CachedLayer[]
  readonly records: readonly {
    readonly key: string
    /** Position in `layers`. */
    readonly layer: number
    readonly family?: string
    readonly inputs: CacheInputs
  }[]
  readonly mounts: readonly CachedMount[]
}

/** Bytes of the records' JSON. */
export const recordsLimit = 64 << 20
const layerTypes: readonly string[] = [
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
]

/** Records as the annotation of an image. */
export function encodeInline(records: CacheRecords): string {
  return zstdCompressSync(JSON.stringify(records)).toString('base64')
}

/** Undoes `encodeInline`. Throws a `UserError` for anything else. */
export function decodeInline(text: string, blobs: readonly Descriptor[]): CacheRecords {
  let json: string
  try {
    json = zstdDecompressSync(Buffer.from(text, 'base64'), { maxOutputLength: recordsLimit }).toString('utf8')
  } catch {
    throw malformed('its annotation cannot be decompressed')
  }
  return parseRecords(json, blobs)
}

/**
 * Reads records from outside; `blobs` are the layers of their manifest. Everything is checked that a build relies on: forms of
 * ids, digests and times, positions, sizes, types of blobs. Throws a `UserError`.
 */
export function parseRecords(text: string, blobs: readonly Descriptor[]): CacheRecords {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('its records are not JSON')
  }
  const { version, layers, records, mounts = [] } = objectOf(value, 'the records')
  if (version !== 1) throw malformed(`its records have version ${String(version)}`)
  const foreign = blobs.find(blob => !layerTypes.includes(blob.mediaType))
  if (foreign) throw malformed(`a blob has the type ${JSON.stringify(foreign.mediaType)}`)
  const known = listOf(layers, 'layers').map((each, i) => layerOf(each, `layer ${i}`, blobs.length))
  return {
    version: 1,
    layers: known,
    records: listOf(records, 'records').map((each, i) => {
      const what = `record ${i}`
      const { key, layer, family, inputs } = objectOf(each, what)
      return {
        key: textOf(key, keyForm, `${what}, key`),
        layer: position(layer, known.length, what),
        ...(family !== undefined && { family: textOf(family, keyForm, `${what}, family`) }),
        inputs: objectOf(inputs, `${what}, inputs`),
      }
    }),
    mounts: listOf(mounts, 'mounts').map((each, i) => mountOf(each, `mount ${i}`, blobs.length)),
  }
}

const keyForm = /^[0-9a-f]{64}$/
const idForm = /^[0-9A-Za-z][0-9A-Za-z:_.-]{0,199}$/
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function layerOf(value: unknown, what: string, blobs: number): CachedLayer {
  const { id, parent, diffId, size, tarSize, created, blob } = objectOf(value, what)
  const time = textOf(created, timeForm, `${what}, created`)
  if (Number.isNaN(Date.parse(time))) throw malformed(`${what} has no valid time`)
  if (blob !== undefined && diffId === undefined) throw malformed(`${what} has a blob and no diff id`)
  return {
    id: textOf(id, idForm, `${what}, id`),
    ...(parent !== undefined && { parent: textOf(parent, idForm, `${what}, parent`) }),
    ...(diffId !== undefined && { diffId: digestIn(diffId, what) }),
    ...(size !== undefined && { size: amount(size, what) }),
    ...(tarSize !== undefined && { tarSize: amount(tarSize, what) }),
    created: time,
    ...(blob !== undefined && { blob: position(blob, blobs, what) }),
  }
}

function mountOf(value: unknown, what: string, blobs: number): CachedMount {
  const { id, namespace, diffId, tarSize, blob, mode, uid, gid } = objectOf(value, what)
  return {
    id: textOf(id, /^[^\0]{1,4096}$/s, `${what}, id`),
    ...(namespace !== undefined && { namespace: textOf(namespace, /^[^\0]{0,4096}$/s, `${what}, namespace`) }),
    diffId: digestIn(diffId, what),
    tarSize: amount(tarSize, what),
    blob: position(blob, blobs, what),
    mode: amount(mode, what) & 0o7777,
    uid: amount(uid, what),
    gid: amount(gid, what),
  }
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw malformed(`${what} is not an object`)
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value) && value.length <= 200_000) return value
  throw malformed(`${what} is not a list, or too long`)
}

function textOf(value: unknown, form: RegExp, what: string): string {
  if (typeof value === 'string' && form.test(value)) return value
  throw malformed(`${what} is not of the form that it should have`)
}

function digestIn(value: unknown, what: string): Digest {
  if (typeof value === 'string' && isDigest(value)) return value
  throw malformed(`${what} has a wrong digest`)
}

function amount(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw malformed(`${what} has a wrong number`)
}

function position(value: unknown, length: number, what: string): number {
  const at = amount(value, what)
  if (at < length) return at
  throw malformed(`${what} points at something that is not there`)
}

function malformed(problem: string): UserError {
  return new UserError(`the cache is damaged: ${problem}`, { hint: 'export it again with --cache-to' })
}
