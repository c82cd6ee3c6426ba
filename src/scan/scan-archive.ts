import { gunzipSync } from 'node:zlib'
import { UserError } from '#diagnostics'
import { decompress, sniffCompression } from '#layer'
import { type SecretHit, scanBytes } from '#secrets'
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
  /** Why not all of it was looked at. */
  readonly note?: string
}

/** So much of an archive is unpacked (bytes): more is a bomb, or nothing that holds secrets. */
const unpackedLimit = 256 << 20

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
 * throws for a damaged one: what was read until then counts.
 */
export async function scanArchive(archive: Buffer, path: string, everything: boolean): Promise<ArchiveScan> {
  if (archive[0] === 0x50 && archive[1] === 0x4b) return scanZip(archive, everything)
  const state: Collected = { members: [], files: 0, bytes: 0 }
  let note: string | undefined
  try {
    for (const { part, name } of partsOf(archive, path))
      note = (await scanPlain(plainOf(part, name), name, { state, everything })) ?? note
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    note = error.message
  }
  return { ...state, ...(note !== undefined && { note }) }
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
}

/** A tar, or one file. */
async function scanPlain(
  plain: AsyncIterable<Uint8Array>,
  path: string,
  { state, everything }: { readonly state: Collected; readonly everything: boolean },
): Promise<string | undefined> {
  let sink: TextScanner | undefined
  for await (const chunk of plain) {
    sink ??= isTar(chunk)
      ? tarScanner(state, everything)
      : textScanner({ path: path.replace(/\.(?:gz|xz|zst|bz2)$/, ''), everything })
    state.bytes += chunk.length
    if (state.bytes > unpackedLimit) return `only the first ${unpackedLimit >> 20} MiB of ${path} were looked at`
    sink.push(chunk)
  }
  const hits = sink?.finish() ?? []
  if (hits.length > 0) state.members.push({ member: '', hits })
  if (state.files === 0) state.files = 1
  return undefined
}

function tarScanner(state: Collected, everything: boolean): TextScanner {
  let current: { readonly path: string; readonly scanner: TextScanner } | undefined
  const parser = createTarParser({
    onHeader: ({ type, path, size }) => {
      current =
        type === 'file'
          ? { path, scanner: textScanner({ path: path.replace(/^(?:\.?\/)+/, ''), size, everything }) }
          : undefined
    },
    onContent: bytes => current?.scanner.push(bytes),
    onHole: () => undefined,
    onMemberEnd: () => {
      if (!current) return
      state.files++
      const hits = current.scanner.finish()
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

function scanZip(archive: Buffer, everything: boolean): ArchiveScan {
  const members: MemberHits[] = []
  let files = 0
  let bytes = 0
  for (const { path, bytes: content } of readZip(archive, memberLimit)) {
    files++
    bytes += content.length
    if (bytes > unpackedLimit)
      return { members, files, bytes, note: `only the first ${unpackedLimit >> 20} MiB were looked at` }
    const hits = scanBytes({ bytes: content, path, everything })
    if (hits.length > 0) members.push({ member: path, hits })
  }
  return { members, files, bytes }
}
