import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of a block of noise. */
const blockSize = 4 << 20

/**
 * A file of numbers that neither compress nor repeat (xorshift64*), the same for the same seed. With `half`, every second
 * kilobyte is one line of text again and again, so that the file compresses to about half.
 */
export function writeNoise(path: string, size: number, { seed = 1, half = false } = {}): void {
  const file = openSync(path, 'w')
  const block = new BigUint64Array(blockSize / 8)
  let state = 88_172_645_463_325_252n + BigInt(seed)
  for (let i = 0; i < block.length; i++) {
    state ^= BigInt.asUintN(64, state << 13n)
    state ^= state >> 7n
    state ^= BigInt.asUintN(64, state << 17n)
    block[i] = state
  }
  const words = new Uint32Array(block.buffer)
  const bytes = Buffer.from(block.buffer)
  const text = Buffer.alloc(1024, 'the quick brown fox jumps over the lazy dog\n')
  for (let written = 0, round = 0; written < size; written += bytes.length, round++) {
    // The same block again and again would compress well: every copy is changed along its length.
    for (let i = 0; i < words.length; i += 4) words[i] = Math.imul((words[i] ?? 0) ^ round, 2_654_435_761) ^ i
    if (half) for (let at = 0; at < bytes.length; at += 2048) bytes.set(text, at)
    writeSync(file, bytes, 0, Math.min(bytes.length, size - written))
  }
  closeSync(file)
}

/** Files of 2 to 8 KB in 200 directories; contents follow from their number. */
export function writeSourceTree(folder: string, count: number): void {
  let seed = Buffer.alloc(32)
  for (let i = 0; i < count; i++) {
    const directory = join(folder, `d${i % 200}`)
    if (i < 200) mkdirSync(directory, { recursive: true })
    seed = createHash('sha256').update(seed).digest()
    writeFileSync(join(directory, `f${i}`), Buffer.alloc(2000 + (seed.readUInt16LE(0) % 6000), seed))
  }
}

/** Very many very small files, 1,000 to a directory. */
export function writeMany(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const directory = join(folder, `d${Math.floor(i / 1000)}`)
    if (i % 1000 === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `file-${i}.txt`), `content of file ${i}\n`)
  }
}

/** Makes a folder with `fill`, unless it is there. */
export function folderWith(path: string, fill: (folder: string) => void): string {
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true })
    fill(path)
  }
  return path
}
