// `npm run bench:analyze [SCRATCH]`: makes an image of 1 GB with 60,000 files in three layers, of which the last hides and
// re-owns parts of the others, and prints how long the commands that look into images take on it, and their peak memory.
// `analyze` must stay below 1 s and 300 MiB. Needs 2.5 GB below SCRATCH.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeTarHeader, endOfArchive, paddingSize } from '#tar'

const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))
const scratch = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'slipway-bench-'))
const environment = { ...process.env, SLIPWAY_ROOT: join(scratch, 'state') }
const fileSize = 17_000
const runs = 5

/** An archive with numbered files, a hundred in a directory, no two alike. */
function writeArchive(path: string, { from, to, uid }: { from: number; to: number; uid: number }): void {
  const file = openSync(path, 'w')
  const content = Buffer.alloc(fileSize, 'content of a file\n')
  const mtime = { seconds: 1_700_000_000, nanoseconds: 0 }
  const common = { uid, gid: uid, mtime }
  for (let i = from; i < to; i++) {
    const name = `opt/part-${Math.floor(i / 10_000)}/directory-${Math.floor(i / 100)}/file-${i}.dat`
    writeSync(file, encodeTarHeader({ path: name, type: 'file', mode: 0o644, size: fileSize, ...common }))
    content.writeUInt32LE(i, 0)
    writeSync(file, content)
    writeSync(file, Buffer.alloc(paddingSize(fileSize)))
  }
  writeSync(file, endOfArchive)
  closeSync(file)
}

interface Usage {
  readonly seconds: number
  /** Bytes: the process's own peak of resident memory. */
  readonly peak: number
}

/** Runs a command; the kernel keeps the peak, which is read until the process is gone. */
async function measure(args: readonly string[]): Promise<Usage> {
  const start = performance.now()
  const child = spawn(process.execPath, [executable, ...args], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let peak = 0
  const timer = setInterval(() => {
    try {
      const line = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
      peak = Math.max(peak, Number(line?.[1] ?? 0) * 1024)
    } catch {
      // Gone already.
    }
  }, 5)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}`)
  return { seconds: (performance.now() - start) / 1000, peak }
}

try {
  const context = join(scratch, 'context')
  mkdirSync(context)
  writeArchive(join(context, 'a.tar'), { from: 0, to: 30_000, uid: 0 })
  writeArchive(join(context, 'b.tar'), { from: 30_000, to: 55_000, uid: 0 })
  // Re-owns 2,500 files and brings 2,500 new ones.
  writeArchive(join(context, 'c.tar'), { from: 52_500, to: 57_500, uid: 1000 })
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nADD a.tar /\nADD b.tar /\nADD c.tar /\n')
  const { status } = spawnSync(process.execPath, [executable, 'build', '-q', '-t', 'large', context], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error('the image could not be built')
  console.log(`60,000 files of ${fileSize} bytes in three layers, ${runs} runs each`)
  for (const args of [
    ['analyze', 'large'],
    ['analyze', '--format', 'json', 'large'],
    ['analyze', '--html', join(scratch, 'page.html'), 'large'],
    ['diff', 'large', 'large'],
  ]) {
    const usages: Usage[] = []
    for (let i = 0; i < runs; i++) usages.push(await measure(args))
    const seconds = usages.map(each => each.seconds).sort((a, b) => a - b)
    const peak = Math.max(...usages.map(each => each.peak))
    const name = args
      .slice(0, -1)
      .filter(arg => !arg.includes(scratch))
      .join(' ')
    console.log(
      `${name.padEnd(22)} median ${seconds[Math.floor(runs / 2)]?.toFixed(2)} s, best ${seconds[0]?.toFixed(2)} s, peak ${Math.round(peak / 2 ** 20)} MiB`,
    )
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
