import { mkdir, rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { workerScript } from '#linux'
import type { Store } from '#store'
import type { Entry } from '#tree'
import { type ByteWindow, makeByteWindow, openWindowWriter } from './byte-window.ts'

/** A layer that is written as a directory, by another thread, while its archive is still coming. */
export interface LayerUnpacking extends AsyncDisposable {
  /**
   * The next bytes of the archive, and the members whose headers are among them, with the places of files in the archive as their
   * sources. Waits while the thread is behind. False when the stream is not enough to write the directory: a name came twice, or a
   * parent that only layers below have.
   */
  write(bytes: Uint8Array, members: readonly Entry[]): Promise<boolean>
  /** The directory, which is the caller's then; undefined as above. To be asked once the archive is verified. */
  finish(): Promise<string | undefined>
}

export interface UnpackStart {
  readonly directory: string
  readonly rootless: boolean
  readonly window: ByteWindow
}
/** Bytes before `end` that are no content of a member told so far are not wanted. */
export type UnpackOrder = { readonly members: readonly Entry[]; readonly end: number } | 'finish'
export type UnpackAnswer = 'done' | 'failed'

/** Undefined where the thread's file is not beside the program. */
export async function openUnpacking(store: Store, rootless: boolean): Promise<LayerUnpacking | undefined> {
  const script = workerScript('rootfs/unpack-worker')
  if (script === undefined) return undefined
  const directory = await store.temporary('unpack')
  await mkdir(directory, { mode: 0o755 })
  const start: UnpackStart = { directory, rootless, window: makeByteWindow() }
  const worker = new Worker(script, {
    workerData: start,
    execArgv: script.endsWith('.ts') ? ['--conditions=slipway-source'] : [],
  })
  const window = openWindowWriter(start.window)
  let taken = false
  let position = 0
  const answered = new Promise<UnpackAnswer>(resolve => {
    worker.once('message', resolve)
    for (const end of ['error', 'exit'] as const) {
      worker.once(end, () => {
        window.close()
        resolve('failed')
      })
    }
  })
  const order = (what: UnpackOrder): void => worker.postMessage(what)
  return {
    write: async (bytes, members) => {
      position += bytes.length
      // Told first: the thread makes room only for what it knows.
      order({ members, end: position })
      return await window.write(bytes)
    },
    finish: async () => {
      order('finish')
      taken = (await answered) === 'done'
      return taken ? directory : undefined
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate()
      if (!taken) await rm(directory, { recursive: true, force: true })
    },
  }
}
