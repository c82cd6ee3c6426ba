import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { HostTools } from './host-tools.ts'
import { childrenOf } from './process-tree.ts'
import {
  asRoot,
  comm,
  nodeArguments,
  perl,
  processesWith,
  programFor,
  run,
  specFor,
  until,
} from './sandbox-bed.test.ts'

const keepers: [string, Partial<HostTools>][] = [
  ['one keeper for all', {}],
  ['a keeper of its own', { sharedKeeper: false }],
]

describe.skipIf(!asRoot)('the end of a sandbox (needs root)', () => {
  test('inherited streams: input, output, and exit code', () => {
    const program = programFor(specFor('read -r line; echo "got $line"; echo err >&2; exit 9', { stdio: 'inherit' }))
    const { stdout, stderr, status } = spawnSync(process.execPath, [...nodeArguments, program], {
      input: 'x\n',
      encoding: 'utf8',
    })
    expect([stdout, stderr, status]).toEqual(['got x\n', 'err\n', 9])
  })

  test('signals are handed on to a command with inherited streams', async () => {
    const script = `trap 'echo caught; exit 3' TERM; trap '' INT; echo up; while :; do sleep 0.02; done`
    const child = spawn(process.execPath, [...nodeArguments, programFor(specFor(script, { stdio: 'inherit' }))])
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await until(() => output !== '')
    // A terminal would send it to the whole group; by itself it does not end us.
    child.kill('SIGINT')
    child.kill('SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    expect([code, output]).toEqual([3, 'up\ncaught\n'])
  })

  test.each(keepers)(
    'abort ends everything, also what ignores SIGTERM or has left the session: %s',
    async (_, host) => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const script = `trap '' TERM; setsid sleep 20081 & sleep 20082 & echo up; while :; do sleep 20083; done`
      const running = run(script, { signal: controller.signal, onOutput: () => controller.abort(reason), host })
      await expect(running).rejects.toBe(reason)
      expect(['20081', '20082', '20083'].flatMap(processesWith)).toEqual([])
    },
  )

  const endSignals = keepers.flatMap(([name, host]) =>
    (['SIGTERM', 'SIGQUIT', 'SIGUSR1'] as const).map(signal => [signal, name, host] as const),
  )
  test.each(endSignals)('%s comes first: %s', async (endSignal, _, host) => {
    const controller = new AbortController()
    let output = ''
    const script = `trap 'echo cleaning; exit' ${endSignal.slice(3)}; echo up; while :; do sleep 0.01; done`
    const running = run(script, {
      signal: controller.signal,
      endSignal,
      host,
      onOutput: (stream, chunk) => {
        // The shell's "Terminated" about its child goes to the other one.
        if (stream === 'stdout') output += Buffer.from(chunk).toString()
        controller.abort()
      },
    })
    await expect(running).rejects.toThrow()
    expect(output).toBe('up\ncleaning\n')
  })

  test.each(keepers)('a fault and an exit code are told apart: %s', async (_, host) => {
    const fault = await run('ulimit -c 0; sh -c "kill -SEGV \\$\\$"; exit $?', { host })
    expect([fault.exitCode, fault.signal]).toEqual([139, undefined])
    if (perl === undefined) return
    const result = await run('', { argv: ['perl', '-e', 'unpack "p", pack "J", 1'], host })
    expect(result).toMatchObject({ exitCode: 139, signal: 'SIGSEGV' })
  })

  test('all end with the keeper, and the next one gets another', async () => {
    let up = 0
    const keeper = (): number | undefined => childrenOf(process.pid).find(id => comm(String(id)) === 'unshare')
    const onOutput = (): void => {
      if (++up === 2) process.kill(keeper() ?? 0, 'SIGKILL')
    }
    const users = [0, 4321].map(uid => ({ uid, gid: uid, groups: [] }))
    const runs = users.map(user => run('echo up; setsid sleep 20091; sleep 20092', { user, onOutput }))
    expect(await Promise.all(runs)).toMatchObject(users.map(() => ({ exitCode: 137, signal: 'SIGKILL' })))
    expect(['20091', '20092'].flatMap(processesWith)).toEqual([])
    expect((await run('echo again')).stdout).toBe('again\n')
  })

  test('an abort at any moment of the set-up', async () => {
    const delays = Array.from({ length: 60 }, (_, index) => index / 2)
    for (let first = 0; first < delays.length; first += 4) {
      const runs = delays.slice(first, first + 4).map(async delay => {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), delay)
        // The one that gets as far as its command ends at once by SIGTERM.
        await run(`trap 'exit 0' TERM; sleep 30091 & wait`, { signal: controller.signal })
      })
      for (const { status } of await Promise.allSettled(runs)) expect(status).toBe('rejected')
    }
    expect(processesWith('30091')).toEqual([])
  })

  test.each([0, 4321])('SIGKILL of our process ends a command of user %i and its children', async uid => {
    // No id of a process is that large.
    const mark = String(70_000_000 + uid)
    const script = `setsid sleep ${mark} & sleep ${mark}`
    const program = programFor(specFor(script, { user: { uid, gid: uid, groups: [] } }))
    const parent = spawn(process.execPath, [...nodeArguments, program], { stdio: 'inherit' })
    await until(() => processesWith(mark).filter(id => comm(id) === 'sleep').length === 2)
    const children = childrenOf(parent.pid ?? 0)
    expect(children.map(id => comm(String(id)))).toEqual(['unshare', 'slipway-launch'])
    parent.kill('SIGKILL')
    await until(() => processesWith(mark).length === 0 && !children.some(id => existsSync(`/proc/${id}`)))
  })
})
