import { gunzipSync } from 'node:zlib'
import { UserError } from '#diagnostics'
import { decompress, sniffCompression } from '#layer'
import { isPackagedExample, type SecretHit, scanBytes } from '#secrets'
import { createTarParser } from '#tar'
import { isDebianPackage, readAr } from './read-ar.ts'
import { readZip } from './read-zip.ts'
import { type TextScanner, textScanner } from './text-scanner.ts'

/** What was found in one file of an archive. */
export interface MemberHits {
  /** Of a tar or zip the member's path; empty for a file that is only compressed. */
  readonly member: string
  readonly hits: readonly SecretHit[]
}

export interface ArchiveScan {
  readonly members: readonly MemberHits[]
  readonly files: number
  readonly bytes: number
  /** What of it was not looked at, and why. */
  readonly notes: readonly string[]
}

export interface ArchiveOptions {
  readonly everything: boolean
  /** So much is unpacked (bytes). */
  readonly limit: number
  readonly signal?: AbortSignal | undefined
}

/** So much of one member of a zip (bytes). */
const memberLimit = 32 << 20

/** Whether bytes begin like an archive or a compressed file that `scanArchive` can look into. */
export function isArchive(start: Uint8Array): boolean {
  if (start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4) return true
  return sniffCompression(start) !== 'none' || isTar(start) || isDebianPackage(start)
}

function isTar(start: Uint8Array): boolean {
  return start.length >= 262 && Buffer.from(start.subarray(257, 262)).toString('latin1') === 'ustar'
}

/**
 * Looks into an archive, one level deep; the archives that a Debian package or a gem consists of are that level. Never
 * throws for a damaged one: what was read until then counts. Throws the reason of `signal`.
 */
export async function scanArchive(archive: Buffer, path: string, options: ArchiveOptions): Promise<ArchiveScan> {
  const state: Collected = { members: [], files: 0, bytes: 0, nested: 0, notes: [] }
  if (archive[0] === 0x50 && archive[1] === 0x4b) scanZip(archive, path, { state, options })
  else {
    try {
      for (const { part, name } of partsOf(archive, path)) {
        if (!(await scanPlain(plainOf(part, name), name, { state, options }))) break
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      state.notes.push(error.message)
    }
  }
  const { members, files, bytes, nested, notes } = state
  if (nested > 0)
    notes.push(`${path} holds ${nested === 1 ? 'an archive that was' : `${nested} archives that were`} not unpacked`)
  return { members, files, bytes, notes }
}

/** The archives of which a package consists; of anything else itself. */
function* partsOf(archive: Buffer, path: string): Generator<{ readonly part: Buffer; readonly name: string }> {
  if (isDebianPackage(archive)) {
    for (const { name, bytes } of readAr(archive)) {
      if (/^(?:control|data)\.tar/.test(name)) yield { part: bytes, name: `${path} (${name})` }
    }
  } else if (path.endsWith('.gem') && isTar(archive)) yield* gemParts(archive, path)
  else yield { part: archive, name: path }
}

/** A gem is a tar that holds its files in one compressed tar. */
function gemParts(archive: Buffer, path: string): readonly { readonly part: Buffer; readonly name: string }[] {
  const parts: { name: string; chunks: Uint8Array[] }[] = []
  const parser = createTarParser({
    onHeader: ({ path: name }) => void parts.push({ name, chunks: [] }),
    onContent: bytes => void parts.at(-1)?.chunks.push(Buffer.from(bytes)),
    onHole: () => undefined,
    onMemberEnd: () => undefined,
  })
  parser.push(archive)
  parser.end()
  return parts
    .filter(({ name }) => /^(?:data\.tar|metadata)\.gz$/.test(name))
    .map(({ name, chunks }) => ({ part: Buffer.concat(chunks), name: `${path} (${name})` }))
}

/** A stream for each small gzip file would cost more than its bytes. */
const smallGzip = 1 << 20

function plainOf(archive: Buffer, path: string): AsyncIterable<Uint8Array> {
  if (archive.length <= smallGzip && sniffCompression(archive) === 'gzip') {
    try {
      return oneChunk(gunzipSync(archive, { maxOutputLength: smallGzip * 16 }))
    } catch {
      // Damaged or large: the stream tells, and gives what comes before.
    }
  }
  return decompress(oneChunk(archive), { name: path })
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

interface Collected {
  readonly members: MemberHits[]
  files: number
  bytes: number
  /** Archives inside. */
  nested: number
  readonly notes: string[]
}

interface Scanning {
  readonly state: Collected
  readonly options: ArchiveOptions
}

/** A tar, or one file; false when the limit is reached. */
async function scanPlain(plain: AsyncIterable<Uint8Array>, path: string, scanning: Scanning): Promise<boolean> {
  const { state, options } = scanning
  let sink: TextScanner | undefined
  for await (const chunk of plain) {
    options.signal?.throwIfAborted()
    sink ??= isTar(chunk)
      ? tarScanner(scanning)
      : fileScannerIn(path.replace(/\.(?:gz|xz|zst|bz2)$/, ''), chunk, scanning)
    state.bytes += chunk.length
    if (state.bytes > options.limit) {
      state.notes.push(onlyFirst(path, options))
      return false
    }
    sink.push(chunk)
  }
  const hits = sink?.finish() ?? []
  if (hits.length > 0) state.members.push({ member: '', hits })
  if (state.files === 0) state.files = 1
  return true
}

const onlyFirst = (path: string, { limit }: ArchiveOptions): string =>
  `only the first ${limit >> 20} MiB of ${path} were looked at`

/** What a file that begins so is looked at with; it is counted when it is an archive. */
function fileScannerIn(path: string, start: Uint8Array, { state, options }: Scanning, size?: number): TextScanner {
  const { everything } = options
  if (isArchive(start) && (everything || !isPackagedExample(path))) state.nested++
  return textScanner({ path, everything, ...(size !== undefined && { size }) })
}

function tarScanner(scanning: Scanning): TextScanner {
  const { state } = scanning
  let current: { readonly path: string; readonly size: number; scanner?: TextScanner } | undefined
  const parser = createTarParser({
    onHeader: ({ type, path, size }) => {
      current = type === 'file' ? { path, size } : undefined
    },
    onContent: bytes => {
      if (!current) return
      const path = current.path.replace(/^(?:\.?\/)+/, '')
      current.scanner ??= fileScannerIn(path, bytes, scanning, current.size)
      current.scanner.push(bytes)
    },
    onHole: () => undefined,
    onMemberEnd: () => {
      if (!current) return
      state.files++
      const hits = current.scanner?.finish() ?? []
      if (hits.length > 0) state.members.push({ member: current.path, hits })
      current = undefined
    },
  })
  return {
    push: chunk => parser.push(chunk),
    finish: () => {
      parser.end()
      return []
    },
  }
}

function scanZip(archive: Buffer, path: string, { state, options }: Scanning): void {
  const { everything, limit, signal } = options
  let isWhole = true
  for (const { path: member, size, bytes } of readZip(archive, memberLimit)) {
    signal?.throwIfAborted()
    state.bytes += size
    if (state.bytes > limit) {
      state.notes.push(onlyFirst(path, options))
      break
    }
    if (!bytes) {
      isWhole = false
      continue
    }
    state.files++
    if (isArchive(bytes) && (everything || !isPackagedExample(member))) state.nested++
    const hits = scanBytes({ bytes, path: member, everything })
    if (hits.length > 0) state.members.push({ member, hits })
  }
  if (!isWhole)
    state.notes.push(
      `not all of ${path} was unpacked: files in it are encrypted, damaged, or larger than ${memberLimit >> 20} MiB`,
    )
}
