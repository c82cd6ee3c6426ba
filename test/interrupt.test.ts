import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import koffi from 'koffi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, leftovers, slipwayOk, startSlipway } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-interrupt-'))
const canRun = canSandbox && findBusybox().runs

beforeAll(async () => {
  // As the first process of a container: who loses its parent becomes our child, and nobody waits for it.
  koffi.load(null).func('int prctl(int option, uint64 value, uint64 b, uint64 c, uint64 d)')(childSubreaper, 1, 0, 0, 0)
  await importTestBase(root)
  mkdirSync(join(root, 'context'))
  // The inner shells ignore what a terminal sends: they must be ended all the same.
  writeFileSync(
    join(root, 'context/Dockerfile'),
    'FROM slipway-test/base\nRUN echo first\n' +
      "RUN echo x > /tmp/x; (trap '' INT TERM; sleep 300) & echo now running; trap '' INT TERM; sleep 300; wait\n",
  )
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** PR_SET_CHILD_SUBREAPER (prctl(2)). */
const childSubreaper = 36

/** Processes, dead or alive, that were left to us. */
function orphans(): string[] {
  const children = readdirSync('/proc/self/task').flatMap(task =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return children.map(pid => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\((.*)\) (.).*$/s, '$1 $2'))
}

describe('a signal during RUN ends children, mounts and temporary files', () => {
  test.for<[NodeJS.Signals, number, 'process' | 'group']>([
    ['SIGINT', 130, 'group'],
    ['SIGINT', 130, 'process'],
    ['SIGTERM', 143, 'process'],
    ['SIGHUP', 129, 'process'],
  ])('%s, exit code %i, sent to the %s', async ([signal, code, whom], { skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const args = ['build', '--progress', 'plain', '-o', `type=oci,dest=${join(root, 'out.tar')}`, join(root, 'context')]
    const { child, ended, stderr } = startSlipway(args, { root })
    const started = await within(60_000, () => /now running\n/.test(stderr()))
    expect(started, stderr()).toBe(true)
    process.kill(whom === 'group' ? -(child.pid ?? 0) : (child.pid ?? 0), signal)
    const sent = performance.now()
    const result = await ended
    expect(result.code, result.stderr).toBe(code)
    expect(performance.now() - sent).toBeLessThan(15_000)
    expect(result.stderr).not.toMatch(/internal error|^\s+at .*\.(js|ts):\d+/m)
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
    expect(orphans()).toEqual([])
    expect(readdirSync(root).filter(name => name.startsWith('out'))).toEqual([])
  })

  test('what was finished before is kept', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    writeFileSync(join(root, 'context/Dockerfile'), 'FROM slipway-test/base\nRUN echo first\n')
    const { stderr } = await slipwayOk(['build', '--progress', 'plain', join(root, 'context')], { root })
    expect(stderr).toMatch(/cached/i)
  })

  test('nor is anything left after an end without one', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    for (const command of ['true', 'false']) {
      writeFileSync(join(root, 'context/Dockerfile'), `FROM slipway-test/base\nRUN ${command}\n`)
      const { code } = await startSlipway(['build', '-q', join(root, 'context')], { root }).ended
      expect(code).toBe(command === 'true' ? 0 : 1)
      expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
      expect(orphans()).toEqual([])
    }
  })
})

async function within(milliseconds: number, holds: () => boolean): Promise<boolean> {
  const end = performance.now() + milliseconds
  while (!holds()) {
    if (performance.now() > end) return false
    await sleep(20)
  }
  return true
}
