import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findHostTools } from './host-tools.ts'
import { planSandbox } from './plan-sandbox.ts'
import { runSandbox } from './run-sandbox.ts'
import { asRoot, base, error, path, processesWith, rootLayer, run, specFor } from './sandbox-bed.test.ts'

describe.skipIf(!asRoot)('what is mounted in a sandbox (needs root)', () => {
  test('an upper directory holds what changed and nothing else', async () => {
    const { upper } = await run('echo x >/tmp/new')
    const found = readdirSync(upper, { recursive: true })
    expect(found.map(String).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['tmp', 'tmp/new'])
  })

  test('a directory as root, and an upper directory without syncs', async () => {
    const { stdout } = await run('cat /etc/hosts; ls -d /srv', { root: { kind: 'directory', path: rootLayer } })
    expect(stdout).toBe('127.0.0.1 here\n/srv\n')
    const at = (name: string): string => join(base, 'volatile', name)
    for (const name of ['upper', 'work']) mkdirSync(at(name), { recursive: true })
    const root = { kind: 'overlay', lower: [rootLayer], upper: at('upper'), work: at('work'), volatile: true } as const
    expect((await run('echo x >/new; cat /proc/self/mountinfo', { root })).stdout).toMatch(
      / \/ \/ .* overlay .*volatile/,
    )
    expect(readFileSync(at('upper/new'), 'utf8')).toBe('x\n')
  })

  test('control groups are visible and read-only (where the kernel has them)', async () => {
    const tools = { ...findHostTools(path), cgroup2: true }
    let stdout = ''
    const plan = planSandbox(
      specFor('ls /sys/fs/cgroup | cat; mkdir /sys/fs/cgroup/x 2>/dev/null && echo made', {}),
      tools,
    )
    await runSandbox(plan, { onOutput: (_, chunk) => (stdout += Buffer.from(chunk).toString()) })
    expect(stdout).toContain('cgroup.procs\n')
    expect(stdout).not.toContain('made')
  })

  test('hundreds of layers, topmost first', async () => {
    const layers = Array.from({ length: 200 }, (_, index) => join(base, 'many', String(index)))
    for (const [index, layer] of layers.entries()) {
      mkdirSync(join(layer, 'l'), { recursive: true })
      writeFileSync(join(layer, 'l', String(index)), '')
      writeFileSync(join(layer, 'top'), String(index))
    }
    const { stdout } = await run('ls /l | cat; cat /top', { lower: [...layers, rootLayer] })
    expect(stdout.split('\n')).toEqual([...layers.map((_, index) => String(index)).sort(), '0'])
  })

  test('odd characters in paths', async () => {
    const odd = 'a b,c:d\\e#f\'g"h$i\nj'
    const source = join(base, odd)
    mkdirSync(join(source, 'layer', 'srv', odd), { recursive: true })
    writeFileSync(join(source, 'file'), 'content\n')
    const { stdout } = await run('cat /srv/a*/file; pwd', {
      name: `${odd}-`,
      lower: [join(source, 'layer'), rootLayer],
      mounts: [{ kind: 'bind', source, target: `/srv/${odd}`, readonly: true }],
      workdir: `/srv/${odd}`,
    })
    expect(stdout).toBe(`content\n/srv/${odd}\n`)
  })

  test('mounts of every kind, in order', async () => {
    const at = (name: string): string => join(base, 'mounts', name)
    for (const name of ['data', 'lower', 'upper', 'work']) mkdirSync(at(name), { recursive: true })
    writeFileSync(at('data/file'), 'data\n')
    writeFileSync(at('lower/below'), 'below\n')
    const { stdout } = await run(
      `cat /srv/in/sub/dir/file /srv/in/key /usr/below; (echo x >/srv/in/sub/dir/no) 2>/dev/null || echo read-only
       echo kept >/srv/in/key; echo new >/usr/new; stat -c %a /srv/in`,
      {
        mounts: [
          { kind: 'tmpfs', target: '/srv/in', mode: 0o711, size: 1 << 20 },
          { kind: 'bind', source: at('data'), target: '/srv/in/sub/dir', readonly: true },
          { kind: 'bind', source: at('data/file'), target: '/srv/in/key', readonly: false, type: 'file' },
          { kind: 'overlay', target: '/usr', lower: [at('lower')], upper: at('upper'), work: at('work') },
        ],
      },
    )
    expect(stdout).toBe('data\ndata\nbelow\nread-only\n711\n')
    expect(readFileSync(at('data/file'), 'utf8')).toBe('kept\n')
    expect(readdirSync(at('upper'))).toEqual(['new'])
  })

  test('a mount through a symbolic link is refused before anything runs', async () => {
    mkdirSync(join(base, 'outside'), { recursive: true })
    const { message, details } = await error(
      run('echo ran', {
        mounts: [{ kind: 'bind', source: join(base, 'outside'), target: '/linked', readonly: false }],
      }),
    )
    expect(message).toBe('the sandbox could not be set up')
    expect(details.join()).toMatch(/mount on \/linked is not where it should be/)
  })

  test('a set-up that fails is not a failing command', async () => {
    const missing = await error(
      run('exit 3', { mounts: [{ kind: 'bind', source: join(base, 'gone'), target: '/srv', readonly: true }] }),
    )
    expect(missing.details.join()).toMatch(/gone.* does not exist|special device .*gone/)
    const workdir = await error(run('exit 3', { workdir: '/no/such/place' }))
    expect(workdir.message).toMatch(/can't start "sh".*cannot chdir|can't start "sh".*\/no\/such\/place/)
  })

  test("nothing appears in the host's mount table, and nothing stays", async () => {
    // A Docker engine that other tests use at the same time mounts, too.
    const mounts = (): string[] =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter(line => !/\/(overlay2|buildkit|netns|containers)\//.test(line))
    const before = mounts()
    let during: readonly string[] = []
    const { stdout } = await run(
      'setsid sleep 10071 & nohup sleep 10072 >/dev/null 2>&1 & echo up; cat /proc/self/mountinfo',
      {
        onOutput: () => {
          if (during.length === 0) during = mounts()
        },
      },
    )
    expect(stdout).toMatch(/^up\n/)
    expect(during).toEqual(before)
    expect(mounts()).toEqual(before)
    expect([...processesWith('10071'), ...processesWith('10072')]).toEqual([])
  })
})
