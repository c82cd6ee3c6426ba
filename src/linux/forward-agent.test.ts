import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forwardAgent } from './forward-agent.ts'
import { findProgram, hostSearchPath } from './host-tools.ts'
import { runTool } from './run-tool.ts'
import { startAgent } from './start-agent.ts'

const path = hostSearchPath(process.env['PATH'])
const hasSsh = ['ssh-agent', 'ssh-add', 'ssh-keygen'].every(name => findProgram(name, path) !== undefined)
const signal = new AbortController().signal

describe.skipIf(!hasSsh)('11.9 ssh agents (needs OpenSSH)', () => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-ssh-'))
  const key = join(root, 'key')
  const locked = join(root, 'locked')
  beforeAll(() => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test key', '-f', key])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', locked])
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const add = (socket: string, ...args: string[]) =>
    runTool(findProgram('ssh-add', path) ?? '', { args, env: { SSH_AUTH_SOCK: socket }, directory: root, signal })

  test('an agent of our own has the keys, and is gone afterwards', async () => {
    const agent = await startAgent({ keys: [key], path, signal })
    expect((await add(agent.socket, '-l')).stdout).toContain('test key')
    await agent[Symbol.asyncDispose]()
    expect(existsSync(agent.socket)).toBe(false)
  })

  test('a key with a passphrase is an error at once', async () => {
    await expect(startAgent({ keys: [locked], path, signal })).rejects.toThrow('cannot be used')
  })

  test('a forwarded agent lists and signs, and cannot be changed', async () => {
    await using agent = await startAgent({ keys: [key], path, signal })
    // Longer than the path of a socket may be.
    const directory = join(root, 'x'.repeat(120))
    mkdirSync(directory)
    const forwarded = await forwardAgent({
      agent: agent.socket,
      directory,
      mode: 0o620,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
    })
    expect(lstatSync(forwarded.path).mode & 0o777).toBe(0o620)
    const short = join(root, 'short')
    execFileSync('ln', ['-s', forwarded.path, short])
    expect((await add(short, '-l')).stdout).toContain('test key')
    expect((await add(short, '-T', `${key}.pub`)).status).toBe(0)
    expect((await add(short, '-D')).status).not.toBe(0)
    expect((await add(agent.socket, '-l')).stdout).toContain('test key')
    await forwarded[Symbol.asyncDispose]()
    expect((await add(short, '-l')).status).not.toBe(0)
    chmodSync(directory, 0o755)
  })

  test('an agent that is gone closes the connection', async () => {
    const agent = await startAgent({ keys: [key], path, signal })
    const directory = join(root, 'gone')
    mkdirSync(directory)
    await using forwarded = await forwardAgent({
      agent: agent.socket,
      directory,
      mode: 0o600,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
    })
    await agent[Symbol.asyncDispose]()
    expect((await add(forwarded.path, '-l')).status).not.toBe(0)
  })
})
