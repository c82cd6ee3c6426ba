import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Store } from '#store'
import type { Entry } from '#tree'

/** A layer that is written as a directory, by another thread, while its archive is still coming. */
export interface LayerUnpacking extends AsyncDisposable {
  /** Opens the archive that is being written; gives a path for it that stays when it gets another name. */
  readFrom(archive: string): string
  /** Members whose bytes are in the archive on disk already. */
  write(entries: readonly Entry[]): void
  /**
   * The directory, which is the caller's then; undefined when the stream was not enough to make it (a name that comes twice, a
   * parent that only layers below have): to be made from the whole list then. To be asked once the archive is verified.
   */
  finish(): Promise<string | undefined>
}

export interface UnpackStart {
  readonly directory: string
  readonly rootless: boolean
}
export type UnpackOrder = readonly Entry[] | 'finish'
export type UnpackAnswer = 'done' | 'failed'

/** Undefined where the thread's file is not beside the program. */
export async function openUnpacking(store: Store, rootless: boolean): Promise<LayerUnpacking | undefined> {
  const script = findScript()
  if (script === undefined) return undefined
  const directory = await store.temporary('unpack')
  await mkdir(directory, { mode: 0o755 })
  const start: UnpackStart = { directory, rootless }
  const worker = new Worker(script, {
    workerData: start,
    execArgv: script.endsWith('.ts') ? ['--conditions=slipway-source'] : [],
  })
  let taken = false
  const answered = new Promise<UnpackAnswer>(resolve => {
    worker.once('message', resolve)
    for (const end of ['error', 'exit'] as const) worker.once(end, () => resolve('failed'))
  })
  const order = (what: UnpackOrder): void => worker.postMessage(what)
  let archiveFd: number | undefined
  return {
    readFrom: archive => {
      archiveFd = openSync(archive, 'r')
      return `/proc/self/fd/${archiveFd}`
    },
    write: order,
    finish: async () => {
      order('finish')
      taken = (await answered) === 'done'
      return taken ? directory : undefined
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate()
      if (archiveFd !== undefined) closeSync(archiveFd)
      if (!taken) await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Bundled, this file may be in another directory than its sources say. */
function findScript(): string | undefined {
  const places = ['./unpack-worker.ts', '../rootfs/unpack-worker.js', './rootfs/unpack-worker.js']
  return places.map(place => fileURLToPath(new URL(place, import.meta.url))).find(path => existsSync(path))
}
