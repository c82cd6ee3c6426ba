import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is there before packages are asked for: nothing, or all that is essential or required, and apt. */
export type Root = 'empty' | 'minbase'

/** `NAME=VERSION`, sorted by bytes. */
export type Packages = readonly string[]

/** What a solver says. */
export interface Solutions {
  /** What is there before. */
  readonly base: Packages
  /** What comes with each list; nothing where there is no solution. */
  readonly solutions: readonly (Packages | undefined)[]
}

const python = '/usr/bin/python3'

/** Whether apt's library can be asked. */
export function hasAptLibrary(): boolean {
  return spawnSync(python, ['-c', 'import apt_pkg']).status === 0
}

/** Texts of the indexes (Packages files) that apt on this machine uses, in its order; none without apt. */
export function aptIndexes(): readonly Buffer[] {
  const format = ['indextargets', '--format', '$(FILENAME)', 'Created-By: Packages']
  const { status, stdout } = spawnSync('apt-get', format, { encoding: 'utf8' })
  const files = status === 0 ? stdout.split('\n').filter(line => line !== '') : []
  return files.map(file => execFileSync('/usr/lib/apt/apt-helper', ['cat-file', file], { maxBuffer: 2 ** 30 }))
}

interface Answer {
  readonly base: Packages
  readonly status: string
  readonly solutions: readonly (Packages | null)[]
}

function askLibrary(root: Root, lists: readonly (readonly string[])[]): Answer {
  const script = fileURLToPath(new URL('solve-lists.py', import.meta.url))
  const options = { input: JSON.stringify({ root, lists }), encoding: 'utf8', maxBuffer: 2 ** 30 } as const
  return JSON.parse(execFileSync(python, [script], options)) as Answer
}

/** What apt's library would install, without Recommends. Loads the indexes once for all lists. */
export function aptSolutions(root: Root, lists: readonly (readonly string[])[]): Solutions {
  const { base, solutions } = askLibrary(root, lists)
  return { base, solutions: solutions.map(solution => solution ?? undefined) }
}

/** What `apt-get install --no-install-recommends` would install: the same, asked in the plain way, much slower. */
export function aptGetSolutions(root: Root, lists: readonly (readonly string[])[]): Solutions {
  const { base, status } = askLibrary(root, [])
  const directory = mkdtempSync(join(tmpdir(), 'slipway-apt-'))
  try {
    writeFileSync(join(directory, 'status'), status)
    mkdirSync(join(directory, 'archives/partial'), { recursive: true })
    const settings = [
      `Dir::State::status=${join(directory, 'status')}`,
      'Dir::State::extended_states=/dev/null',
      `Dir::Cache=${directory}`,
      'Dir::Cache::pkgcache=pkgcache.bin',
      'Dir::Cache::srcpkgcache=srcpkgcache.bin',
      'APT::Sandbox::User=root',
    ].flatMap(setting => ['-o', setting])
    const install = ['install', '--simulate', '--no-install-recommends']
    // So that apt-get keeps its cache in files.
    execFileSync('apt-get', ['check', ...settings])
    const solutions = lists.map(names => {
      const { status: code, stdout } = spawnSync('apt-get', [...settings, ...install, ...names], { encoding: 'utf8' })
      return code === 0 ? installed(stdout) : undefined
    })
    return { base, solutions }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function installed(simulation: string): Packages {
  return [...simulation.matchAll(/^Inst ([^ :]+)\S* \((\S+)/gm)].map(([, name, version]) => `${name}=${version}`).sort()
}
