import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandTable } from './command-table.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const executable = join(repository, 'bin/slipway.js')

let root = ''
beforeAll(() => {
  expect(existsSync(join(repository, 'dist/cli/main.js')), 'compile first: npm run build').toBe(true)
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface RunOptions {
  readonly node?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly script?: string
}

function slipway(args: readonly string[], options: RunOptions = {}) {
  const { node = process.execPath, script = executable } = options
  const env = { PATH: process.env['PATH'], HOME: root, SLIPWAY_ROOT: join(root, 'store'), ...options.environment }
  return spawnSync(node, [script, ...args], { encoding: 'utf8', env, cwd: root, input: '' })
}

describe('exit codes', () => {
  test.each<[args: string[], code: number, stderr: RegExp]>([
    [['--version'], 0, /^$/],
    [['--help'], 0, /^$/],
    [['images'], 0, /^$/],
    [[], 2, /Usage: slipway/],
    [['history', 'nothing'], 1, /^error: image "nothing" is not in the store/],
    [['imags'], 2, /unknown command "imags"\n.*did you mean "slipway images"/],
    [['images', '--fromat', 'json'], 2, /unknown option "--fromat"\n.*did you mean --format/],
    [['images', '--format', 'jsn'], 2, /invalid value "jsn" for --format\n.*did you mean "json"/],
    [['history'], 2, /missing required argument "image"\n.*slipway history --help/],
    [['tag', 'a', 'b', 'c'], 2, /too many arguments/],
    [['build', '-o', 'type=oci,dst=x', '.'], 2, /unknown key "dst"/],
    [['build', '--build-arg'], 2, /argument missing/],
    [['base'], 2, /Usage: slipway base/],
    [['base', 'nothing'], 2, /unknown command "nothing"/],
    [['tag', 'UPPER', 'b'], 1, /lower case/],
  ])('%j ends with %i', (args, code, stderr) => {
    const result = slipway(args)
    expect(result.stderr).toMatch(stderr)
    expect(result.status).toBe(code)
  })
})

test.each(commandTable.map(({ name }) => name))('slipway %s --help has examples and touches no store', name => {
  const store = join(root, 'untouched')
  const result = slipway([name, '--help'], { environment: { SLIPWAY_ROOT: store } })
  expect(result.status).toBe(0)
  expect(result.stdout).toMatch(new RegExp(`^Usage: slipway ${name} `))
  expect(result.stdout).toMatch(/\nExamples:\n {2}# .+\n {2}\S.+/)
  expect(existsSync(store)).toBe(false)
})

test('a store that cannot be used is said so, without a stack', () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  const result = slipway(['images'], { environment: { SLIPWAY_ROOT: join(file, 'store') } })
  expect(result.stderr).toMatch(/^error: /)
  expect(result.stderr).not.toMatch(/^\s+at /m)
  expect(result.status).toBe(1)
})

test('a store where no directory can be made is an error, not an endless try', () => {
  const result = slipway(['images'], { environment: { SLIPWAY_ROOT: '/proc/none/store' } })
  expect([result.status, result.stderr]).toEqual([1, expect.stringMatching(/cannot be opened[^]*hint: /)])
})

test('colours follow the environment', () => {
  expect(slipway(['history', 'nothing']).stderr).not.toContain('\x1b')
  expect(slipway(['history', 'nothing'], { environment: { FORCE_COLOR: '1' } }).stderr).toContain('\x1b[')
})

test('a reader that goes away ends it quietly', () => {
  const { PATH } = process.env
  const result = spawnSync('sh', ['-c', `"$NODE" "$SCRIPT" --help | true; sleep 0.3`], {
    encoding: 'utf8',
    env: { PATH, HOME: root, NODE: process.execPath, SCRIPT: executable },
  })
  expect(result.stderr).toBe('')
  expect(result.status).toBe(0)
})

test('an output that cannot be written is an error', ({ skip }) => {
  skip(!existsSync('/dev/full'), 'no /dev/full here')
  const { PATH } = process.env
  const result = spawnSync('sh', ['-c', `"$NODE" "$SCRIPT" --help > /dev/full`], {
    encoding: 'utf8',
    env: { PATH, HOME: root, NODE: process.execPath, SCRIPT: executable },
  })
  expect(result.stderr).toMatch(/^error: no space left/)
  expect(result.status).toBe(1)
})

describe('bin/slipway.js', () => {
  test('without dist: one clear sentence', () => {
    const clone = join(root, 'clone')
    mkdirSync(join(clone, 'bin'), { recursive: true })
    cpSync(executable, join(clone, 'bin/slipway.js'))
    writeFileSync(join(clone, 'package.json'), '{"type":"module"}')
    const result = slipway(['images'], { script: join(clone, 'bin/slipway.js') })
    expect(result.stderr).toMatch(/^error: slipway is not compiled here .*npm ci.*\n$/)
    expect(result.status).toBe(1)
  })

  const old = oldNode()

  test('an old Node hands over to the one of the repository', ({ skip }) => {
    if (old === undefined) return skip('no old Node here')
    const result = slipway(['history', 'nothing'], { node: old })
    expect(result.stderr).toMatch(/^error: image "nothing" is not in the store/)
    expect(result.status).toBe(1)
  })

  test('an old Node alone says what is needed', ({ skip }) => {
    if (old === undefined) return skip('no old Node here')
    const clone = join(root, 'old-clone')
    mkdirSync(join(clone, 'bin'), { recursive: true })
    cpSync(executable, join(clone, 'bin/slipway.js'))
    writeFileSync(join(clone, 'package.json'), '{"type":"module"}')
    const result = slipway(['images'], { node: old, script: join(clone, 'bin/slipway.js') })
    expect(result.stderr).toMatch(/^error: slipway needs Node 22\.19 or newer; this is Node \d+\.[\d.]+\.\n$/)
    expect(result.status).toBe(1)
  })
})

/** A Node of the machine that is too old for us. */
function oldNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(':')
    .map(directory => join(directory, 'node'))
    .find(path => {
      if (!existsSync(path)) return false
      const [major = 99] = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
        .stdout.split('.')
        .map(Number)
      return major < 22
    })
}

/** Waits until `load` reads its input, sends signals, and tells how it ended. */
async function interrupted(signal: NodeJS.Signals, node = process.execPath) {
  const env = { PATH: process.env['PATH'], HOME: root, SLIPWAY_ROOT: join(root, 'interrupted') }
  const child = spawn(node, [executable, 'load', '--progress', 'plain'], { env, stdio: ['pipe', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    if (stderr.includes('#1')) child.kill(signal)
  })
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, stderr }
}

describe('signals', () => {
  test.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('%s ends with %i and leaves no temporary file', async (signal, code) => {
    const result = await interrupted(signal)
    expect(result.stderr).toContain(`stopped by ${signal}`)
    expect(result.code).toBe(code)
    const left = readdirSync(join(root, 'interrupted'), { recursive: true, encoding: 'utf8' })
    expect(left.filter(path => /^(tmp|sessions)\//.test(path))).toEqual([])
  })

  test('an old Node in front passes the signal on', async ({ skip }) => {
    const old = oldNode()
    if (old === undefined) return skip('no old Node here')
    expect((await interrupted('SIGTERM', old)).code).toBe(143)
  })
})
