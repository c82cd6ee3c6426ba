import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { childrenOf } from './process-tree.ts'
import { asRoot, comm, nodeArguments, processesWith, programFor, run, specFor, until } from './sandbox-bed.test.ts'

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

  test('abort ends everything, also what ignores SIGTERM or has left the session', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const script = `trap '' TERM; setsid sleep 20081 & sleep 20082 & echo up; while :; do sleep 20083; done`
    const running = run(script, { signal: controller.signal, onOutput: () => controller.abort(reason) })
    await expect(running).rejects.toBe(reason)
    expect(['20081', '20082', '20083'].flatMap(processesWith)).toEqual([])
  })

  test('SIGTERM comes first', async () => {
    const controller = new AbortController()
    let output = ''
    const running = run(`trap 'echo cleaning; exit' TERM; echo up; while :; do sleep 0.01; done`, {
      signal: controller.signal,
      onOutput: (stream, chunk) => {
        // The shell's "Terminated" about its child goes to the other one.
        if (stream === 'stdout') output += Buffer.from(chunk).toString()
        controller.abort()
      },
    })
    await expect(running).rejects.toThrow()
    expect(output).toBe('up\ncleaning\n')
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
    expect(children).toHaveLength(1)
    parent.kill('SIGKILL')
    await until(() => processesWith(mark).length === 0 && !existsSync(`/proc/${children[0]}`))
  })
})
