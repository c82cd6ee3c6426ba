import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'

/** A stream of bytes on its way to a file or to standard output. */
export interface Destination extends AsyncDisposable {
  /** Resolves when there is room for more. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Makes the file visible under its name. Not called: nothing stays behind. */
  readonly finish: () => Promise<void>
}

/**
 * Opens a destination of the command line: `-` is standard output (never a terminal); a file appears only when it is
 * complete; a device or pipe is written as it is. Throws a `UserError` when it cannot be written.
 */
export async function openDestination(path: string, context: CliContext): Promise<Destination> {
  if (path === '-') return toStandardOutput(context)
  const given = resolve(context.directory, path)
  try {
    const found = await stat(given).catch(absentIsUndefined)
    if (found?.isDirectory()) throw isDirectory(path)
    if (found && !found.isFile()) return await intoPlace(given)
    // A link keeps being one: what it names is replaced.
    return await besideAndRename(found ? await realpath(given) : given)
  } catch (error) {
    throw explain(error, path)
  }
}

/** Writes all bytes of a stream to a destination; stops when `signal` is aborted. */
export async function writeStream(
  bytes: AsyncIterable<Uint8Array>,
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of bytes) {
    signal.throwIfAborted()
    await destination.write(chunk)
  }
}

function absentIsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

async function besideAndRename(path: string): Promise<Destination> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`)
  const file = await open(temporary, 'wx', 0o666)
  let finished = false
  return {
    write: bytes => writeAll(file, bytes),
    finish: async () => {
      await file.close()
      await rename(temporary, path)
      finished = true
    },
    [Symbol.asyncDispose]: async () => {
      if (finished) return
      await file.close()
      await rm(temporary, { force: true })
    },
  }
}

async function intoPlace(path: string): Promise<Destination> {
  const file = await open(path, 'w')
  return { write: bytes => writeAll(file, bytes), finish: async () => {}, [Symbol.asyncDispose]: () => file.close() }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

function toStandardOutput({ stdout, interrupts }: CliContext): Destination {
  if (stdout.isTTY) {
    throw new UserError('the archive would go to the terminal', {
      hint: 'name a file, or redirect standard output: > FILE',
    })
  }
  return {
    write: bytes =>
      new Promise((done, failed) => {
        // Nobody reads any more: the reason is known there.
        interrupts.signal.throwIfAborted()
        stdout.write(bytes, error => (error ? failed(error) : done()))
      }),
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

function isDirectory(path: string): UserError {
  return new UserError(`cannot write ${JSON.stringify(path)}: it is a directory`, { hint: 'name a file in it' })
}

function explain(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new UserError(`cannot write ${JSON.stringify(path)}: there is no such directory`, {
      hint: 'make the directory first, or name another place',
      cause: error,
    })
  }
  return error
}
