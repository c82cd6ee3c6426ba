import { isPackagedExample, type SecretHit } from '#secrets'
import type { SecretFinding, SecretPlace } from './finding.ts'
import { isArchive, scanArchive } from './scan-archive.ts'
import { type TextScanner, textScanner } from './text-scanner.ts'

/** Takes files one after the other, each in pieces; archives are looked into when `settle` is called. */
export interface FileScanner {
  /** `judgedPath`: where the file is, when `path` is only a part of it. */
  begin(path: string, size: number, judgedPath?: string): void
  push(chunk: Uint8Array): void
  end(): void
  /** Looks into the archives that came; call it now and then, since they wait in memory. */
  settle(): Promise<void>
}

export interface FileScannerOptions {
  readonly everything: boolean
  readonly layer?: number
  readonly found: (finding: SecretFinding) => void
  readonly read: (files: number, bytes: number) => void
  readonly note: (text: string) => void
  /** Ends `settle`. */
  readonly signal?: AbortSignal | undefined
}

/** Larger archives are searched as they are, not unpacked (bytes). */
const archiveLimit = 96 << 20

/** So much of one archive is unpacked (bytes): more is a bomb, or nothing that holds secrets. */
const unpackedLimit = 256 << 20

/** So much of all archives of a layer or directory together (bytes): there may be many that are small. */
const allUnpackedLimit = 8 * 1024 ** 3

/** Looks at the files of a layer or directory. */
export function fileScanner(options: FileScannerOptions): FileScanner {
  const waiting: { readonly path: string; readonly bytes: Buffer }[] = []
  let left = allUnpackedLimit
  const inLayer = options.layer === undefined ? {} : { layer: options.layer }
  let path = ''
  let judged: string | undefined
  let size = 0
  let text: TextScanner | undefined
  let archive: Uint8Array[] | undefined
  return {
    begin: (next, bytes, judgedPath) => {
      path = next
      judged = judgedPath
      size = bytes
      text = undefined
      archive = undefined
      options.read(1, bytes)
    },
    push: chunk => {
      if (!text && !archive) {
        // What is not looked at need not be unpacked either.
        const skipped = !options.everything && isPackagedExample(judged ?? path)
        if (isArchive(chunk) && size <= archiveLimit && !skipped) archive = []
        else {
          if (isArchive(chunk) && !skipped)
            options.note(`${path} is larger than ${archiveLimit >> 20} MiB and was not unpacked`)
          text = textScanner({
            path,
            size,
            everything: options.everything,
            ...(judged !== undefined && { judgedPath: judged }),
          })
        }
      }
      if (archive) archive.push(Buffer.from(chunk))
      else text?.push(chunk)
    },
    end: () => {
      if (archive) waiting.push({ path, bytes: Buffer.concat(archive) })
      for (const hit of text?.finish() ?? []) options.found(findingOf(hit, { path, ...inLayer }))
    },
    settle: async () => {
      for (const { path: file, bytes } of waiting.splice(0)) {
        if (left <= 0) {
          options.note(`${file} was not unpacked: there are more than ${allUnpackedLimit / 1024 ** 3} GiB in archives`)
          continue
        }
        const { everything, signal } = options
        const limit = Math.min(unpackedLimit, left)
        const { members, files, bytes: read, notes } = await scanArchive(bytes, file, { everything, limit, signal })
        left -= read
        options.read(files, read)
        for (const note of notes) options.note(note)
        for (const { member, hits } of members) {
          for (const hit of hits) options.found(findingOf(hit, { path: file, member, ...inLayer }))
        }
      }
    },
  }
}

/** A secret in a file. */
export type FileFinding = SecretFinding & { readonly place: Extract<SecretPlace, { kind: 'file' }> }

/** What was hit, at its place. */
export function findingOf(
  { rule, title, severity, masked, fingerprint, line, column }: SecretHit,
  { path, layer, member }: { readonly path: string; readonly layer?: number; readonly member?: string },
): FileFinding {
  return {
    rule,
    title,
    severity,
    masked,
    fingerprint,
    place: {
      kind: 'file',
      path,
      line,
      column,
      ...(member !== undefined && { member }),
      ...(layer !== undefined && { layer }),
    },
  }
}
