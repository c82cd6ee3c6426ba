import { closeSync, lstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileScanner } from './file-scanner.ts'
import type { ScanReport } from './finding.ts'
import { collect, type ScanOptions } from './scan-image.ts'

/** What a directory scan leaves out: paths below the top for which it says true. */
export interface DirectoryOptions extends ScanOptions {
  readonly ignored?: (path: string) => boolean
}

/**
 * Secrets in the files below an absolute path of a directory (links are not followed), or in one file. Of `.git` only what holds settings is
 * read, objects are not. Files that cannot be read are noted.
 */
export async function scanDirectory(top: string, options: DirectoryOptions = {}): Promise<ScanReport> {
  const collected = collect()
  const { everything = false, signal } = options
  const files = fileScanner({ ...collected, everything, signal })
  const buffer = Buffer.allocUnsafe(1 << 20)
  for (const path of statSync(top).isDirectory() ? below(top, '', options) : ['']) {
    options.signal?.throwIfAborted()
    try {
      readInto(join(top, path), buffer, {
        begin: size => files.begin(path === '' ? basename(top) : path, size, join(top, path).slice(1)),
        push: chunk => files.push(chunk),
      })
      files.end()
    } catch (error) {
      if (!(error instanceof Error) || !('syscall' in error)) throw error
      collected.note(`${path} cannot be read: ${error.message}`)
    }
    await files.settle()
  }
  return collected.report()
}

function* below(top: string, directory: string, options: DirectoryOptions): Generator<string> {
  for (const entry of readdirSync(join(top, directory), { withFileTypes: true })) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (options.ignored?.(path)) continue
    if (entry.isDirectory()) {
      if (/(?:^|\/)\.git\/(?:objects|lfs|modules\/.*\/objects)$/.test(path)) continue
      yield* below(top, path, options)
    } else if (entry.isFile()) yield path
  }
}

function readInto(
  path: string,
  buffer: Buffer,
  to: { readonly begin: (size: number) => void; readonly push: (chunk: Uint8Array) => void },
): void {
  const { size } = lstatSync(path)
  const file = openSync(path, 'r')
  try {
    to.begin(size)
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer))
      to.push(buffer.subarray(0, count))
  } finally {
    closeSync(file)
  }
}
