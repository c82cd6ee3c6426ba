// `npm run bench:base [-- --rounds N]`: a full base with `slipway base build` and with mmdebstrap, alternating in one run, both
// from one local mirror that holds exactly the packages needed, so that neither waits for a network. Prints medians of the
// wall time and the ratio. Needs root, mmdebstrap, dpkg-dev and apt-utils.
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
  writeFileSync(join(index, 'Packages'), text)
  const release = run('sh', [
    '-c',
    `cd ${mirror}/dists/${suite} && apt-ftparchive -o APT::FTPArchive::Release::Codename=${suite} -o APT::FTPArchive::Release::Architectures=amd64 -o APT::FTPArchive::Release::Components=main release .`,
  ])
  for (const name of ['Release', 'InRelease']) writeFileSync(join(mirror, `dists/${suite}`, name), release)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function time(work: () => void): number {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

try {
  makeMirror()
  const address = pathToFileURL(mirror).href
  writeFileSync(join(scratch, 'base.yaml'), `suite: ${suite}\nmirror: ${address}\ntrusted: true\n`)
  const own: number[] = []
  const other: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const a = time(() => slipway('base', 'build', 'base.yaml', '-q'))
    const target = join(scratch, `root-${round}`)
    const hook = '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr'
    const b = time(() =>
      run('mmdebstrap', [
        '-q',
        '--variant=minbase',
        hook,
        suite,
        target,
        `deb [trusted=yes] copy://${mirror} ${suite} main`,
      ]),
    )
    rmSync(target, { recursive: true, force: true })
    if (round > 0) {
      own.push(a)
      other.push(b)
    }
  }
  const packages = readdirSync(join(mirror, 'pool')).length
  console.log(`| base | slipway base build, s | mmdebstrap, s | ratio |\n|---|---|---|---|`)
  console.log(
    `| ${suite}, minbase, ${packages} packages | ${median(own).toFixed(2)} | ${median(other).toFixed(2)} | ${(median(own) / median(other)).toFixed(2)} |`,
  )
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
