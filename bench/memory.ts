// `npm run bench:memory [SCRATCH]`: builds an image with a 4 GiB file and one with 100,000 files, and prints the time and
// the peak memory of the build and of everything it started. Both must stay below 400 MiB. Needs some 15 GB below SCRATCH.
import { spawn } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))
const scratch = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'slipway-bench-'))
const limit = 400 * 2 ** 20

interface Usage {
  readonly seconds: number
  /** Bytes, of all processes at the same time. */
  readonly peak: number
}

/** Runs a build and adds up, every 20 ms, the resident memory of its process tree. */
async function measure(name: string, context: string, outputs: readonly string[]): Promise<Usage> {
  const root = join(scratch, `${name}-state`)
  const start = performance.now()
  const args = [executable, 'build', '--progress', 'quiet', '-t', name, ...outputs, context]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, SLIPWAY_ROOT: root },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, treeMemory(child.pid ?? 0))
  }, 20)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${name}: exit code ${code}`)
  rmSync(root, { recursive: true, force: true })
  return { seconds: (performance.now() - start) / 1000, peak }
}

function treeMemory(pid: number): number {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(field(`/proc/${name}/status`, 'PPid'))
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const sum = (of: number): number =>
    Number(field(`/proc/${of}/status`, 'VmRSS').split(' ')[0]) * 1024 +
    (children.get(of) ?? []).reduce((all, child) => all + sum(child), 0)
  return sum(pid)
}

/** A line of a status file; empty where the process is gone. */
function field(path: string, name: string): string {
  try {
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}

/** A file of numbers that neither compress nor repeat (xorshift64*), without holes. */
function writeNoise(path: string, size: number): void {
  const file = openSync(path, 'w')
  const block = new BigUint64Array(2 ** 20)
  let state = 88_172_645_463_325_252n
  for (let i = 0; i < block.length; i++) {
    state ^= BigInt.asUintN(64, state << 13n)
    state ^= state >> 7n
    state ^= BigInt.asUintN(64, state << 17n)
    block[i] = state
  }
  const bytes = Buffer.from(block.buffer)
  for (let written = 0; written < size; written += bytes.length) {
    // The same block again and again would compress well: every copy is changed along its length.
    for (let i = 0; i < bytes.length; i += 64)
      bytes.writeUInt32LE((Math.imul(bytes.readUInt32LE(i), 2_654_435_761) ^ i) >>> 0, i)
    writeSync(file, bytes, 0, Math.min(bytes.length, size - written))
  }
  closeSync(file)
}

function writeMany(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const directory = join(folder, `d${Math.floor(i / 500)}`)
    if (i % 500 === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `file-${i}.txt`), `content of file ${i}\n`)
  }
}

function prepare(name: string, fill: (folder: string) => void): string {
  const context = join(scratch, name)
  mkdirSync(join(context, 'data'), { recursive: true })
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM scratch AS one\nCOPY data /data\nFROM scratch\nCOPY --from=one /data /data\n',
  )
  fill(join(context, 'data'))
  return context
}

try {
  const cases = [
    {
      name: 'one-file',
      about: 'one file of 4 GiB',
      fill: (folder: string) => writeNoise(join(folder, 'big'), 4 * 2 ** 30),
    },
    { name: 'many-files', about: '100,000 files', fill: (folder: string) => writeMany(folder, 100_000) },
  ]
  for (const { name, about, fill } of cases) {
    const context = prepare(name, fill)
    const outputs = { store: [], oci: ['-o', `type=oci,dest=${join(scratch, 'out.tar')}`] }
    for (const [output, args] of Object.entries(outputs)) {
      const { seconds, peak } = await measure(name, context, args)
      const verdict = peak < limit ? 'below' : 'ABOVE'
      process.stdout.write(
        `${about}, to ${output}: ${seconds.toFixed(1)} s, peak ${(peak / 2 ** 20).toFixed(0)} MiB (${verdict} 400 MiB)\n`,
      )
      if (peak >= limit) process.exitCode = 1
      rmSync(join(scratch, 'out.tar'), { force: true })
    }
    rmSync(context, { recursive: true, force: true })
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
