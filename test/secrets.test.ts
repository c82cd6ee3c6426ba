import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, slipwayOk, startSlipway } from './slipway.ts'

/** Where the value of a secret may be: in the command, and nowhere else. */

const root = mkdtempSync(join(tmpdir(), 'slipway-secrets-'))
const canRun = canSandbox && findBusybox().runs
const hasMemory = existsSync('/dev/shm') && statfsSync('/dev/shm').type === 0x0102_1994
const value = `the-value-${process.pid}-${Date.now()}`
const secret = ['--secret', 'id=token,src=token.txt']

function context(name: string, steps: string): string {
  const directory = join(root, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), `FROM slipway-test/base\n${steps}\n`)
  return directory
}

/** Files below the state directory that hold the value, however the store keeps them. */
function filesWithValue(): string[] {
  try {
    return execFileSync('grep', ['-r', '-l', '-a', '-F', value, join(root, 'state')], { encoding: 'utf8' })
      .trim()
      .split('\n')
  } catch {
    return []
  }
}

/** Directories of this store's sessions in main memory. */
function inMemory(): string[] {
  return readdirSync('/dev/shm').filter(name => {
    try {
      const path = join('/dev/shm', name)
      return (
        name.startsWith('slipway-') &&
        readdirSync(path, { withFileTypes: true }).some(
          file => file.isFile() && readFileSync(join(path, file.name), 'utf8') === value,
        )
      )
    } catch {
      return false
    }
  })
}

describe.skipIf(!canRun)('secrets', () => {
  beforeAll(async () => {
    await importTestBase(root)
    writeFileSync(join(root, 'token.txt'), value)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  test('11.9: the command has the value as a file and as a variable; the store, the log and the image do not', async () => {
    const directory = context(
      'seen',
      'RUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN cat /run/secrets/token | wc -c > /seen; test "$TOKEN" = "$(cat /run/secrets/token)" && echo equal >> /seen',
    )
    const archive = join(directory, 'out.tar')
    const { stderr } = await slipwayOk(
      [
        'build',
        '--explain',
        ...secret,
        '-o',
        `type=oci,dest=${archive}`,
        '-o',
        `type=tar,dest=${archive}.tree`,
        directory,
      ],
      { root },
    )
    expect(stderr).not.toContain(value)
    expect(filesWithValue()).toEqual([])
    expect(readFileSync(archive, 'latin1')).not.toContain(value)
    expect(readFileSync(`${archive}.tree`, 'latin1')).toContain(`${value.length}\nequal\n`)
    expect(inMemory()).toEqual([])
  })

  test('11.9: a build argument that looks like a secret is not kept for explanations', async () => {
    const directory = context('argument', 'ARG API_TOKEN\nRUN : needs nothing')
    await slipwayOk(['build', '--build-arg', `API_TOKEN=${value}`, directory], { root })
    expect(filesWithValue()).toEqual([])
    const { stderr } = await slipwayOk(
      ['build', '--explain', '--progress', 'plain', '--build-arg', `API_TOKEN=${value}2`, directory],
      { root },
    )
    expect(stderr).toMatch(/argument API_TOKEN: "sha256:[0-9a-f]+…" → "sha256:[0-9a-f]+…"/)
    expect(stderr).not.toContain(value)
  })

  test.skipIf(!hasMemory)(
    'a killed build leaves no value on disk, and the next one clears the memory',
    async () => {
      const directory = context(
        'killed',
        'RUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN echo started; sleep 60',
      )
      const started = startSlipway(['build', '--progress', 'plain', ...secret, directory], { root })
      await expect.poll(started.stderr, { timeout: 50_000 }).toContain(' started\n')
      expect(inMemory()).toHaveLength(1)
      expect(filesWithValue()).toEqual([])
      started.child.kill('SIGKILL')
      await started.ended
      expect(filesWithValue()).toEqual([])
      await slipwayOk(['images'], { root })
      expect(inMemory()).toEqual([])
    },
    60_000,
  )
})
