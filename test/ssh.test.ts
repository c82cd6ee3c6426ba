import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, hasTool } from './host.ts'
import { findBusybox, testBaseName } from './oracle/test-base.ts'
import { type Ended, importTestBase, leftovers, slipway } from './slipway.ts'

const canRun = canSandbox && findBusybox().runs && ['ssh-agent', 'ssh-add', 'ssh-keygen'].every(hasTool)

describe.skipIf(!canRun)('11.9 RUN --mount=type=ssh (needs mount namespaces and OpenSSH)', () => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-ssh-'))
  const key = join(root, 'key')
  const context = join(root, 'context')
  let loader = ''

  beforeAll(async () => {
    await importTestBase(root)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test key', '-f', key])
    // The client and what it is linked with, for a base that has neither.
    const client = execFileSync('sh', ['-c', 'command -v ssh-add'], { encoding: 'utf8' }).trim()
    const libraries = execFileSync('ldd', [client], { encoding: 'utf8' }).match(/\/[^ )]+/g) ?? []
    mkdirSync(join(context, 'ssh'), { recursive: true })
    for (const path of [client, ...libraries]) copyFileSync(realpathSync(path), join(context, 'ssh', basename(path)))
    loader = basename(libraries.find(path => /\/ld-/.test(path)) ?? '')
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  let count = 0
  function build(lines: string, ...args: readonly string[]): Promise<Ended> {
    const dockerfile = join(root, `Dockerfile.${count++}`)
    writeFileSync(dockerfile, `FROM ${testBaseName}\nCOPY . /\n${lines}\n`)
    return slipway(['build', '--no-cache', '--progress', 'plain', '-f', dockerfile, ...args, context], { root })
  }
  const list = (): string => `/ssh/${loader} --library-path /ssh /ssh/ssh-add -l`

  test('a key file gets an agent for the build, which is gone afterwards', async () => {
    const { code, stderr } = await build(`RUN --mount=type=ssh ${list()}`, '--ssh', `default=${key}`)
    expect(stderr).toContain('test key')
    expect(code).toBe(0)
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
  })

  test('id, target, mode and owner', async () => {
    const { stderr } = await build(
      `RUN --mount=type=ssh,id=work,target=/tmp/a,mode=0666,uid=7,gid=8 ${list()}; echo $SSH_AUTH_SOCK; stat -c '%A %u:%g' /tmp/a`,
      '--ssh',
      `work=${key}`,
    )
    expect(stderr).toContain('test key')
    expect(stderr).toContain('/tmp/a')
    expect(stderr).toContain('srw-rw-rw- 7:8')
  })

  test('the default target; the first of several is SSH_AUTH_SOCK', async () => {
    const { stderr } = await build(
      `RUN --mount=type=ssh --mount=type=ssh,id=b echo "<$SSH_AUTH_SOCK>"; ls /run/buildkit`,
      '--ssh',
      `default=${key}`,
      '--ssh',
      `b=${key}`,
    )
    expect(stderr).toContain('</run/buildkit/ssh_agent.0>')
    expect(stderr).toContain('ssh_agent.1')
  })

  test('nothing of it is in the layer', async () => {
    const { stderr, code } = await build(
      `RUN --mount=type=ssh true\nRUN test ! -e /run/buildkit && test -z "$SSH_AUTH_SOCK"`,
      '--ssh',
      `default=${key}`,
    )
    expect(stderr).not.toContain('did not complete')
    expect(code).toBe(0)
  })

  test('without an agent the mount is left out, unless it is required', async () => {
    expect((await build('RUN --mount=type=ssh test -z "$SSH_AUTH_SOCK"')).code).toBe(0)
    const { code, stderr } = await build('RUN --mount=type=ssh,required=true true')
    expect(code).not.toBe(0)
    expect(stderr).toContain('ssh key "default" not found')
    expect(stderr).toMatch(/Dockerfile\.\d+:3:/)
  })

  test('an agent or key that is not there is an error before anything is built', async () => {
    expect((await build('RUN true', '--ssh', 'default')).stderr).toContain('SSH_AUTH_SOCK is not set')
    expect((await build('RUN true', '--ssh', 'default=nothing')).stderr).toContain('there is no key or socket')
  })
})
