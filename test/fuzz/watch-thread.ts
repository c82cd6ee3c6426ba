import { Worker, workerData } from 'node:worker_threads'

/** How a thread ended. `input`: what it was reading when it had to be stopped. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string; readonly input: string }
  | { readonly kind: 'hang'; readonly input: string }
  | { readonly kind: 'memory'; readonly input: string }

export interface WatchOptions {
  /** What the thread gets. */
  readonly data: unknown
  /** One input may take so long (milliseconds). */
  readonly hang: number
  /** Most megabytes of V8's heap in the thread. */
  readonly heap: number
  /** Most resident bytes of the process. */
  readonly resident: number
}

/** Shared by both sides: a count of inputs, the length of the current one, and the input itself. */
interface Desk {
  readonly counts: SharedArrayBuffer
  readonly text: SharedArrayBuffer
}

const longest = 1 << 16

/**
 * Runs a module in a thread of its own and stops it when an input takes too long or too much memory: what hangs cannot
 * say so itself. The module calls `openDesk` and says each input before it reads it.
 */
export async function watchThread(file: URL, { data, hang, heap, resident }: WatchOptions): Promise<Outcome> {
  const desk: Desk = { counts: new SharedArrayBuffer(8), text: new SharedArrayBuffer(longest) }
  const counts = new Int32Array(desk.counts)
  const input = (): string =>
    Buffer.from(new Uint8Array(desk.text).slice(0, Atomics.load(counts, 1))).toString('latin1')
  const worker = new Worker(file, { workerData: { data, desk }, resourceLimits: { maxOldGenerationSizeMb: heap } })
  let outcome: Outcome | undefined
  let seen = -1
  let since = Date.now()
  const timer = setInterval(() => {
    const count = Atomics.load(counts, 0)
    if (count !== seen) [seen, since] = [count, Date.now()]
    else if (count > 0 && Date.now() - since > hang) outcome ??= { kind: 'hang', input: input() }
    if (process.memoryUsage.rss() > resident) outcome ??= { kind: 'memory', input: input() }
    if (outcome) void worker.terminate()
  }, 100)
  try {
    await new Promise<void>(resolve => {
      worker.on('error', (error: Error & { code?: string }) => {
        outcome ??=
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? { kind: 'memory', input: input() }
            : { kind: 'failed', message: error.message, input: input() }
      })
      worker.on('exit', () => resolve())
    })
  } finally {
    clearInterval(timer)
  }
  return outcome ?? { kind: 'done' }
}

/** The thread's side: what it was given, and `say`, to be called with each input before it is read. */
export function openDesk(): { readonly data: unknown; readonly say: (input: string | Uint8Array) => void } {
  const { data, desk } = workerData as { readonly data: unknown; readonly desk: Desk }
  const counts = new Int32Array(desk.counts)
  const text = Buffer.from(desk.text)
  return {
    data,
    say: input => {
      const bytes = typeof input === 'string' ? Buffer.from(input) : input
      text.set(bytes.subarray(0, longest))
      Atomics.store(counts, 1, Math.min(bytes.length, longest))
      Atomics.add(counts, 0, 1)
    },
  }
}
