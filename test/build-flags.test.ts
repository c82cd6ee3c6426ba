import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-flags-'))
const canRun = canSandbox && findBusybox().runs
let count = 0

beforeAll(() => importTestBase(root).then(() => {}))
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Metadata {
  readonly 'slipway.steps': readonly {
    readonly stage: string
    readonly instruction: string
    readonly cached: boolean
  }[]
}

/** Builds a Dockerfile; returns the instructions that were not found in the cache, and what was written to stderr. */
async function build(
  dockerfile: string,
  ...args: readonly string[]
): Promise<{ readonly made: readonly string[]; readonly stderr: string }> {
  const context = join(root, `context-${count++}`)
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), dockerfile)
  const metadata = join(context, 'metadata.json')
  const { stderr } = await slipwayOk(['build', '--progress', 'plain', '--metadata-file', metadata, ...args, context], {
    root,
  })
  const { 'slipway.steps': steps } = JSON.parse(readFileSync(metadata, 'utf8')) as Metadata
  return { made: steps.filter(({ cached }) => !cached).map(({ instruction }) => instruction), stderr }
}

test('8.9 BUILDKIT_INLINE_CACHE is --cache-to type=inline', async () => {
  const archive = async (...args: readonly string[]): Promise<Buffer> => {
    const path = join(root, `inline-${count++}.tar`)
    await build('FROM scratch\nCOPY Dockerfile /x\n', '-o', `type=oci,dest=${path}`, ...args)
    return readFileSync(path)
  }
  const [plain, asked, switchedOff] = [
    await archive(),
    await archive('--cache-to', 'type=inline'),
    await archive('--build-arg', 'BUILDKIT_INLINE_CACHE=0'),
  ]
  expect(asked.equals(plain)).toBe(false)
  expect((await archive('--build-arg', 'BUILDKIT_INLINE_CACHE=1')).equals(asked)).toBe(true)
  expect(switchedOff.equals(plain)).toBe(true)
})

const from = 'FROM slipway-test/base\n'

describe('what the command line says about every RUN', () => {
  test('11.8 --add-host: the names are part of the key, the addresses are not', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const text = `${from}RUN cat /etc/hosts\n`
    const first = await build(text, '--add-host', 'db.test:10.1.2.3', '--add-host', 'v6=[2001:db8::7]')
    expect(first.stderr).toMatch(/10\.1\.2\.3\s+db\.test\n.*2001:db8::7\s+v6\n/)
    expect((await build(text, '--add-host', 'db.test:10.9.9.9', '--add-host', 'v6:::1')).made).toEqual([])
    expect((await build(text, '--add-host', 'db.test:10.1.2.3')).made).toEqual(['RUN cat /etc/hosts'])
  })

  test('8.9 BUILDKIT_SANDBOX_HOSTNAME: the name is seen, resolves, and is part of the key', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const text = `${from}RUN hostname && grep -c "$(hostname)" /etc/hosts\n`
    const named = ['--build-arg', 'BUILDKIT_SANDBOX_HOSTNAME=quiet-host']
    expect((await build(text, ...named)).stderr).toMatch(/ quiet-host\n.* 1\n/)
    expect((await build(text)).stderr).toMatch(/ buildkitsandbox\n.* 1\n/)
    expect((await build(text, ...named)).made).toEqual([])
  })

  test('11.8 --shm-size and --ulimit are not part of the key', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const text = `${from}RUN df -k /dev/shm; echo limits: $(ulimit -Sn) $(ulimit -Hn)\n`
    const { stderr } = await build(text, '--shm-size', '3m', '--ulimit', 'nofile=123:456')
    expect(stderr).toMatch(/shm\s+3072\s/)
    expect(stderr).toContain('limits: 123 456')
    expect((await build(text, '--shm-size', '5m')).made).toEqual([])
  })

  test('11.8 --network=none is for every RUN and part of the key', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const text = `${from}RUN echo interfaces: $(ls /sys/class/net)\n`
    expect((await build(text, '--network', 'none')).stderr).toContain('interfaces: lo\n')
    expect((await build(text)).made).toHaveLength(1)
    expect((await build(`${from}RUN --network=none echo interfaces: $(ls /sys/class/net)\n`)).made).toEqual([])
  })

  test('11.8 --network=host lets RUN ask for it, --allow as well', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const text = `${from}RUN --network=host true\n`
    await build(text, '--network', 'host')
    await build(text, '--allow', 'network.host')
    const insecure = `${from}RUN --security=insecure grep CapEff /proc/self/status\n`
    const { stderr } = await build(insecure, '--allow', 'security.insecure')
    expect(BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(stderr)?.[1] ?? '0'}`) & (1n << 21n)).not.toBe(0n)
  })

  test('11.8 what is not allowed is an error under the word', async () => {
    const result = await slipway(['build', '-f', '-', '.'], { root, input: `${from}RUN --network=host true\n` })
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('RUN --network=host is not allowed')
    expect(result.stderr).toContain('--allow network.host')
    expect(result.stderr).toContain('<stdin>:2:15')
  })
})

describe('15.1 --no-cache-filter', () => {
  const text =
    'FROM scratch AS one\nWORKDIR /one\nFROM scratch AS Two\nWORKDIR /two\nCOPY --from=one /one /one\nFROM two\n'

  test('makes the steps of these stages anew', async () => {
    await build(text)
    expect((await build(text)).made).toEqual([])
    expect((await build(text, '--no-cache-filter', 'ONE')).made).toEqual(['WORKDIR /one'])
    expect((await build(text, '--no-cache-filter', 'one,two')).made).toEqual([
      'WORKDIR /one',
      'WORKDIR /two',
      'COPY --from=one /one /one',
    ])
  })

  test('a name that no stage has is an error', async () => {
    const result = await slipway(['build', '--no-cache-filter', 'tow', '-f', '-', '.'], { root, input: text })
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/there is no stage "tow"\n.*did you mean two\?/)
  })
})
