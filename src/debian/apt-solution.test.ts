import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { indexPackages } from './package-index.ts'
import { solve } from './solve.ts'
import { joinIndexes } from './universe.ts'

/** The indexes that apt on this machine would use, in its order. */
function aptIndexes(): readonly string[] {
  const format = ['indextargets', '--format', '$(FILENAME)', 'Created-By: Packages']
  const { status, stdout } = spawnSync('apt-get', format, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n').filter(line => line !== '') : []
}

const files = aptIndexes()
const architecture = spawnSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).stdout?.trim() ?? ''

describe.skipIf(files.length === 0)('solutions are those of apt (skipped without apt and its indexes)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-apt-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'status'), '')
  mkdirSync(join(directory, 'archives/partial'), { recursive: true })

  const universe = joinIndexes({
    architecture,
    indexes: files.map((file, i) =>
      indexPackages(execFileSync('/usr/lib/apt/apt-helper', ['cat-file', file], { maxBuffer: 2 ** 30 }), i),
    ),
  })

  function aptSolution(names: readonly string[]): readonly string[] {
    const settings = [
      `Dir::State::status=${join(directory, 'status')}`,
      `Dir::Cache=${directory}`,
      'Dir::Cache::pkgcache=pkgcache.bin',
      'Dir::Cache::srcpkgcache=srcpkgcache.bin',
      'APT::Sandbox::User=root',
    ].flatMap(setting => ['-o', setting])
    const words = ['install', '--simulate', '--no-install-recommends', ...names]
    const output = execFileSync('apt-get', [...settings, ...words], { encoding: 'utf8' })
    return [...output.matchAll(/^Inst ([^ :]+)/gm)].map(match => match[1] ?? '').sort()
  }

  test.each([
    ['gcc libc6-dev'],
    ['systemd-sysv dbus cron'],
    ['postgresql postgresql-client nginx'],
    ['rails passenger'],
    ['default-jre-headless openssh-server'],
    ['xserver-xorg'],
  ])('%s', names => {
    const list = names.split(' ')
    const solution = solve(
      universe,
      list.map(name => ({ relation: { name } })),
    )
    expect([...solution.keys()].sort()).toEqual(aptSolution(list))
  })
})
