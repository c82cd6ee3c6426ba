import { Worker } from 'node:worker_threads'
import { workerScript } from '#linux'

/** SHA-256 on another thread, one content after the other. */
export interface HashThread extends AsyncDisposable {
  /** Memory that the thread sees, too: what is hashed has to lie in one of these buffers. */
  readonly buffers: readonly Buffer[]
  /** Hashes more of the content; the bytes must stay as they are until the promise is fulfilled. */
  update(bytes: Uint8Array): Promise<void>
  /** Hexadecimal digest of the content; the next one may begin. */
  digest(): Promise<string>
}

export type HashOrder = { readonly kind: 'update'; readonly bytes: Uint8Array } | { readonly kind: 'digest' }
export type HashAnswer = { readonly kind: 'taken' } | { readonly kind: 'digest'; readonly hex: string }

/** As many, so that none of the two threads waits for every single piece of the other. */
const bufferCount = 4

/** Starts a thread with buffers of `bufferSize` bytes; undefined where its file is not beside the program. */
export function openHashThread(bufferSize: number): HashThread | undefined {
  const script = workerScript('layer/hash-worker')
  if (script === undefined) return undefined
  const worker = new Worker(script, { stdin: false, execArgv: [] })
  const waiting: { resolve: (answer: HashAnswer) => void; reject: (error: unknown) => void }[] = []
  let failed: unknown
  // Orders are answered in turn.
  worker.on('message', (answer: HashAnswer) => waiting.shift()?.resolve(answer))
  worker.on('error', error => {
    failed = error
    for (const { reject } of waiting.splice(0)) reject(error)
  })
  const ask = async (order: HashOrder): Promise<HashAnswer> => {
    if (failed !== undefined) throw failed
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      worker.postMessage(order)
    })
  }
  return {
    buffers: Array.from({ length: bufferCount }, () => Buffer.from(new SharedArrayBuffer(bufferSize))),
    update: async bytes => void (await ask({ kind: 'update', bytes })),
    digest: async () => {
      const answer = await ask({ kind: 'digest' })
      if (answer.kind !== 'digest') throw new Error('the hashing thread gave no digest')
      return answer.hex
    },
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  }
}
