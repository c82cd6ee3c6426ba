// `npm run bench:base [-- --rounds N]`: a full base with `slipway base build` and with mmdebstrap, alternating in one run, both
// from one local mirror that holds exactly the packages needed, so that neither waits for a network. mmdebstrap makes a directory,
// once on the disk and once in main memory, where slipway composes, too; slipway stores an image. Prints medians of wall and of
// processor time, and ratios. Needs root, mmdebstrap, dpkg-dev and apt-utils.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))
const given = process.argv.indexOf('--rounds')
const rounds = given === -1 ? 3 : Number(process.argv[given + 1])
const suite = 'bookworm'
const scratch = mkdtempSync(join(tmpdir(), 'slipway-bench-base-'))
const mirror = join(scratch, 'mirror')

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: {
      ...process.env,
      SLIPWAY_ROOT: join(scratch, 'store'),
      SLIPWAY_PACKAGE_CACHE: join(scratch, 'packages'),
      ...env,
    },
    encoding: 'utf8',
    cwd: scratch,
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}

const slipway = (...args: readonly string[]): string => run(process.execPath, [executable, ...args])

/** A mirror of what a lock names, unsigned: both builders are told to trust it. */
function makeMirror(): void {
  writeFileSync(join(scratch, 'real.yaml'), `suite: ${suite}\n`)
  slipway('base', 'build', 'real.yaml', '-q')
  slipway('base', 'lock', 'real.yaml', '-q')
  const lock = JSON.parse(readFileSync(join(scratch, 'real.lock'), 'utf8')) as {
    systems: { packages: { filename: string; sha256: string }[] }[]
  }
  const pool = join(mirror, 'pool')
  const index = join(mirror, `dists/${suite}/main/binary-amd64`)
  for (const directory of [pool, index]) mkdirSync(directory, { recursive: true })
  const cache = join(scratch, 'packages/sha256')
  for (const { filename, sha256 } of lock.systems.flatMap(system => system.packages)) {
    run('cp', [join(cache, sha256), join(pool, filename.split('/').at(-1) ?? '')])
  }
  const text = run('sh', ['-c', `cd ${mirror} && dpkg-scanpackages --multiversion pool`])
  // The archive overrides what packages say; without that, mmdebstrap would leave apt out.
  const required = text.replace(/^(Package: apt\n(?:.+\n)*?Priority:) \w+$/m, '$1 required')
  writeFileSync(join(index, 'Packages'), required)
  const release = run('sh', [
    '-c',
    `cd ${mirror}/dists/${suite} && apt-ftparchive -o APT::FTPArchive::Release::Codename=${suite} -o APT::FTPArchive::Release::Architectures=amd64 -o APT::FTPArchive::Release::Components=main release .`,
  ])
  for (const name of ['Release', 'InRelease']) writeFileSync(join(mirror, `dists/${suite}`, name), release)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

interface Measured {
  /** Seconds. */
  readonly wall: number
  /** Seconds of user and system time, all children included. */
  readonly processor: number
}

/** Processor time of children that have ended: fields 16 and 17 of proc_pid_stat(5), in hundredths of a second. */
function childrenTime(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

function measure(work: () => void): Measured {
  const [start, before] = [performance.now(), childrenTime()]
  work()
  return { wall: (performance.now() - start) / 1000, processor: childrenTime() - before }
}

/** mmdebstrap below a directory, which may be in main memory. */
function debootstrap(below: string): Measured {
  const target = mkdtempSync(join(below, 'slipway-bench-root-'))
  const hook = '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr'
  const source = `deb [trusted=yes] copy://${mirror} ${suite} main`
  try {
    return measure(() => run('mmdebstrap', ['-q', '--variant=minbase', hook, suite, target, source]))
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}

const ways: readonly { readonly name: string; readonly once: () => Measured }[] = [
  { name: 'slipway base build', once: () => measure(() => slipway('base', 'build', 'base.yaml', '-q', '--no-cache')) },
  {
    name: 'slipway base build, nothing changed',
    once: () => measure(() => slipway('base', 'build', 'base.yaml', '-q')),
  },
  { name: 'mmdebstrap, on the disk', once: () => debootstrap(scratch) },
  { name: 'mmdebstrap, in main memory', once: () => debootstrap('/dev/shm') },
]

try {
  makeMirror()
  const address = pathToFileURL(mirror).href
  writeFileSync(join(scratch, 'base.yaml'), `suite: ${suite}\nmirror: ${address}\ntrusted: true\n`)
  const all = ways.map((): Measured[] => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { once }] of ways.entries()) {
      const measured = once()
      if (round > 0) all[i]?.push(measured)
    }
  }
  const [own] = all.map(list => median(list.map(({ wall }) => wall)))
  const [ownProcessor] = all.map(list => median(list.map(({ processor }) => processor)))
  console.log(`${suite}, minbase, ${readdirSync(join(mirror, 'pool')).length} packages; medians of ${rounds}\n`)
  console.log('| | wall, s | slipway to it | user + system, s | slipway to it |\n|---|---|---|---|---|')
  for (const [i, { name }] of ways.entries()) {
    const wall = median((all[i] ?? []).map(each => each.wall))
    const processor = median((all[i] ?? []).map(each => each.processor))
    const ratio = (mine: number | undefined, other: number): string => ((mine ?? Number.NaN) / other).toFixed(2)
    const cells = [wall.toFixed(2), ratio(own, wall), processor.toFixed(2), ratio(ownProcessor, processor)]
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
