import { createHash, type Hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { HashAnswer, HashOrder } from './hash-thread.ts'

// Runs on a thread of its own: SHA-256 of what lies in memory that both threads see.
let hash: Hash | undefined
parentPort?.on('message', (order: HashOrder) => {
  let answer: HashAnswer
  if (order.kind === 'update') {
    hash ??= createHash('sha256')
    hash.update(order.bytes)
    answer = { kind: 'taken' }
  } else {
    answer = { kind: 'digest', hex: (hash ?? createHash('sha256')).digest('hex') }
    hash = undefined
  }
  parentPort?.postMessage(answer)
})
