import { constants, createReadStream } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { UserError } from '#diagnostics'
import { type Http, HttpError } from '#http'

/** Reads files of mirrors, over the network or from `file:` addresses. */
export interface MirrorReader {
  /** A small file; undefined where the mirror does not have it. At most `limit` bytes. */
  small(address: string, limit: number): Promise<Buffer | undefined>
  /** A large file of known size; undefined where the mirror does not have it. */
  stream(address: string, size: number): Promise<AsyncIterable<Uint8Array> | undefined>
}

/** `signal` ends every read. */
export function createMirrorReader(http: Http, signal: AbortSignal | undefined): MirrorReader {
  const abort = signal && { signal }
  return {
    async small(address, limit) {
      if (isLocal(address)) return readLocal(address, limit)
      const response = await http.request({ url: address, allow: [404], ...abort })
      if (response.status !== 404) return response.bytes(limit)
      await response.discard()
      return undefined
    },
    async stream(address, size) {
      if (isLocal(address)) return streamLocal(address, signal)
      const chunks = http.download({ url: address, size, ...abort })[Symbol.asyncIterator]()
      try {
        return resumed(await chunks.next(), chunks)
      } catch (error) {
        if (error instanceof HttpError && error.status === 404) return undefined
        throw error
      }
    },
  }
}

/** A path below an address; each part encoded as a URL wants it (epochs of versions, `+` and `~` stay). */
export function below(address: string, path: string): string {
  return `${address}/${path.split('/').map(encodeURIComponent).join('/').replaceAll('%2B', '+').replaceAll('%7E', '~')}`
}

function isLocal(address: string): boolean {
  return address.startsWith('file:')
}

async function readLocal(address: string, limit: number): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(fileURLToPath(address))
    if (bytes.length <= limit) return bytes
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  throw new UserError(`${address} is larger than ${limit} bytes`, { hint: 'check the address of the mirror' })
}

async function streamLocal(
  address: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const path = fileURLToPath(address)
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  return chunksOf(path, signal)
}

async function* chunksOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>) {
    signal?.throwIfAborted()
    yield chunk
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

async function* resumed(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let result = first; result.done !== true; result = await rest.next()) yield result.value
  } finally {
    await rest.return?.()
  }
}
