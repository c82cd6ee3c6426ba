import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'
import type { TransferReport } from '../progress/tell-activity.ts'

/** Bytes from outside, and how many there will be where that is known. */
export interface Input {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly size: number | undefined
}

/** Opens a file of the command line, or standard input for `-`. Throws a `UserError` when it is not there. */
export async function openInput(file: string, { directory, stdin, interrupts }: CliContext): Promise<Input> {
  if (file === '-') {
    if (stdin.isTTY) {
      throw new UserError('standard input is a terminal, not an archive', { hint: 'name a file, or redirect: < FILE' })
    }
    return { bytes: untilStopped(() => stdin, interrupts.signal), size: undefined }
  }
  const path = resolve(directory, file)
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new UserError(`there is no file ${JSON.stringify(file)}`, { hint: 'check the path', cause: error })
  })
  if (found.isDirectory()) {
    throw new UserError(`${JSON.stringify(file)} is a directory, not an archive`, { hint: 'name a file' })
  }
  const bytes = (): Readable => createReadStream(path, { highWaterMark: 1 << 20 })
  return { bytes: untilStopped(bytes, interrupts.signal), size: found.isFile() ? found.size : undefined }
}

/** Opened when the first byte is asked for; a stream that may wait for ever (a pipe) ends with the signal. */
async function* untilStopped(open: () => Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* addAbortSignal(signal, open()) as AsyncIterable<Uint8Array>
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/** A whole small text: UTF-8. Throws a `UserError` when it is longer than `limit` bytes. */
export async function readText(file: string, limit: number, context: CliContext): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (await openInput(file, context)).bytes) {
    size += chunk.length
    if (size > limit) {
      throw new UserError(`${file === '-' ? 'standard input' : file} has more than ${limit} bytes`, {
        hint: 'that is no text of this kind',
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The bytes as they come, reported as a transfer. */
export async function* countedBytes({ bytes, size }: Input, report: TransferReport): AsyncGenerator<Uint8Array> {
  let done = 0
  for await (const chunk of bytes) {
    yield chunk
    done += chunk.length
    report('archive', done, size)
  }
}
