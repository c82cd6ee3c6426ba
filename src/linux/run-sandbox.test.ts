import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '#diagnostics'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findHostTools, findProgram } from './host-tools.ts'
import { planSandbox } from './plan-sandbox.ts'
import { childrenOf } from './process-tree.ts'
import { runSandbox, type SandboxOptions, type SandboxResult } from './run-sandbox.ts'
import type { SandboxSpec } from './sandbox-spec.ts'

const path = process.env['PATH']
const perl = findProgram('perl', '/usr/bin:/bin')
let base = ''
/** A root file system of programs of this machine with their libraries. */
let rootLayer = ''

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'sandbox-test-'))
  rootLayer = join(base, 'layer')
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'lib', 'usr/bin', 'srv/in']) {
    mkdirSync(join(rootLayer, name), { recursive: true })
  }
  for (const name of ['sh', 'env', 'cat', 'id', 'ls', 'sleep', 'mknod', 'setsid', 'stat', 'nohup', 'mkdir'])
    copyProgram(name)
  if (perl !== undefined) copyProgram('perl')
  for (const name of ['hosts', 'resolv.conf', 'not-executable']) writeFileSync(join(rootLayer, 'etc', name), '')
  writeFileSync(join(rootLayer, 'bin/no-loader'), '#!/bin/nothing\n', { mode: 0o755 })
  symlinkSync('/etc', join(rootLayer, 'linked'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function copyProgram(name: string): void {
  const program = findProgram(name, '/usr/bin:/bin:/usr/sbin')
  if (program === undefined) throw new Error(`this machine has no ${name}`)
  copyFileSync(program, join(rootLayer, 'bin', name))
  for (const [library] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
    const target = library.endsWith(':') ? undefined : join(rootLayer, library)
    if (target === undefined || existsSync(target)) continue
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(library, target)
  }
}

interface Run extends SandboxResult {
  readonly stdout: string
  readonly stderr: string
  readonly upper: string
}

type RunOptions = Partial<SandboxSpec> &
  Partial<SandboxOptions> & { readonly lower?: readonly string[]; readonly name?: string }

/** A plain run of `script` on the root layer, with new directories. */
function specFor(script: string, { lower, name = 'run-', ...more }: RunOptions): SandboxSpec {
  const directory = mkdtempSync(join(base, name))
  const at = (child: string): string => join(directory, child)
  for (const child of ['scratch', 'upper', 'work']) mkdirSync(at(child))
  return {
    root: { kind: 'overlay', lower: lower ?? [rootLayer], upper: at('upper'), work: at('work') },
    mounts: [],
    argv: ['sh', '-c', script],
    env: ['PATH=/bin'],
    workdir: '/',
    user: { uid: 0, gid: 0, groups: [] },
    hostname: 'buildkitsandbox',
    network: 'host',
    privileges: 'sandbox',
    hosts: '127.0.0.1 here\n',
    resolvConf: 'nameserver 192.0.2.1\n',
    scratch: at('scratch'),
    stdio: 'pipe',
    ...more,
  }
}

/** Runs it here and collects the output. */
async function run(script: string, { signal, onOutput, ...more }: RunOptions = {}): Promise<Run> {
  const spec = specFor(script, more)
  const output = { stdout: '', stderr: '' }
  const collect: SandboxOptions['onOutput'] = (stream, chunk) => {
    output[stream] += Buffer.from(chunk).toString()
    onOutput?.(stream, chunk)
  }
  const options = { onOutput: collect, ...(signal && { signal }) }
  const result = await runSandbox(planSandbox(spec, findHostTools(path)), options)
  return { ...result, ...output, upper: join(dirname(spec.scratch), 'upper') }
}

/** A program for node that runs it, so that it can be started and killed as a process. */
function programFor(spec: SandboxSpec): string {
  const program = join(dirname(spec.scratch), 'program.ts')
  const module = fileURLToPath(new URL('./index.ts', import.meta.url))
  writeFileSync(
    program,
    `import { findHostTools, planSandbox, runSandbox } from ${JSON.stringify(module)}
    const plan = planSandbox(${JSON.stringify(spec)}, findHostTools(process.env.PATH))
    const { exitCode } = await runSandbox(plan, { onOutput: (_, chunk) => void process.stdout.write(chunk) })
    process.exitCode = exitCode`,
  )
  return program
}
const nodeArguments = ['--conditions=slipway-source']

const error = async (running: Promise<unknown>): Promise<UserError> => {
  const thrown = await running.then(
    value => expect.unreachable(`no error but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  expect(thrown).toBeInstanceOf(UserError)
  return thrown as UserError
}

/** Ids of processes that have `mark` among their arguments. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter(id => {
    try {
      return /^\d+$/.test(id) && readFileSync(`/proc/${id}/cmdline`, 'latin1').includes(mark)
    } catch {
      return false
    }
  })
}

async function until(condition: () => boolean, milliseconds = 5000): Promise<void> {
  for (const end = Date.now() + milliseconds; !condition(); await new Promise(resolve => setTimeout(resolve, 10))) {
    if (Date.now() > end) throw new Error('waited too long')
  }
}

const asRoot = process.getuid?.() === 0

describe.skipIf(!asRoot)('a sandbox (needs root)', () => {
  test.each([0, 1, 77, 125, 127, 137, 255])('exit code %i is passed on', async code => {
    const { exitCode, signal, oomKilled } = await run(`exit ${code}`)
    expect({ exitCode, signal, oomKilled }).toEqual({ exitCode: code, signal: undefined, oomKilled: false })
  })

  test('death by a signal is told from an exit code', async () => {
    // From outside: the first process of a namespace can't be killed from inside.
    const kill = (): void =>
      processesWith('10061').forEach(id => comm(id) === 'sleep' && process.kill(Number(id), 'SIGKILL'))
    const result = await run('echo up; exec sleep 10061', { onOutput: () => setTimeout(kill, 50) })
    expect(result).toMatchObject({ exitCode: 137, signal: 'SIGKILL', oomKilled: false })
  })

  test.skipIf(perl === undefined)('a fault (needs perl)', async () => {
    const result = await run('', { argv: ['perl', '-e', 'unpack "p", pack "J", 1'] })
    expect(result).toMatchObject({ exitCode: 139, signal: 'SIGSEGV', stderr: '' })
  })

  test('both streams arrive whole and apart; standard input is empty', async () => {
    const { stdout, stderr } = await run(
      'cat; i=0; while [ $i -lt 20000 ]; do echo out $i; i=$((i+1)); done; echo err >&2',
    )
    expect(stdout.length).toBe(Array.from({ length: 20000 }, (_, i) => `out ${i}\n`).join('').length)
    expect(stderr).toBe('err\n')
  })

  const environments: [string, string[], Partial<SandboxSpec>][] = [
    ['plain', ['PATH=/bin', 'A=b c', 'EMPTY=', 'LINES=a\nb'], {}],
    ['names of shells', ['PATH=/bin', 'IFS=x', 'OPTIND=3', 'a.b=1', '_=x', 'PWD=/nowhere'], {}],
    [
      'of the loader',
      ['PATH=/bin', 'LD_LIBRARY_PATH=/nowhere', 'LC_ALL=de_DE.UTF-8', 'A=1'],
      { inRoot: { env: '/bin/env' } },
    ],
    ['without a PATH', ['A=b'], { argv: ['/bin/env'] }],
  ]
  test.each(environments)('the environment is exact: %s', async (_, env, more) => {
    const { stdout } = await run('', { argv: ['env'], env, ...more })
    expect(stdout).toBe(env.map(entry => `${entry}\n`).join(''))
  })

  test('a sensitive variable through the shell of the image', async () => {
    const { stdout } = await run('echo "$LD_LIBRARY_PATH $A"', {
      env: ['PATH=/bin', 'LD_LIBRARY_PATH=/x y', 'A=1'],
      inRoot: { sh: '/bin/sh' },
    })
    expect(stdout).toBe('/x y 1\n')
  })

  test("LD_PRELOAD reaches the command, and no program of the host's", async () => {
    // Every program that tries to load it says so.
    const { stderr, stdout } = await run('echo "$LD_PRELOAD"', {
      env: ['PATH=/bin', 'LD_PRELOAD=./none.so'],
      inRoot: { env: '/bin/env' },
    })
    expect(stdout).toBe('./none.so\n')
    expect(stderr.match(/cannot be preloaded/g)).toHaveLength(1)
  })

  test('no program in PATH, no permission, no interpreter', async () => {
    const missing = await error(run('', { argv: ['no-such-program'] }))
    expect([missing.message, missing.exitCode]).toEqual([`can't start "no-such-program": executable not found`, 127])
    const forbidden = await error(run('', { argv: ['/etc/not-executable'] }))
    expect([forbidden.exitCode, forbidden.hint]).toEqual([126, expect.stringContaining('chmod +x')])
    const loader = await error(run('', { argv: ['/bin/no-loader'] }))
    expect([loader.exitCode, loader.hint]).toEqual([127, expect.stringContaining('interpreter')])
    // The shell's own "not found" is the command's business.
    expect(await run('no-such-program')).toMatchObject({ exitCode: 127, stderr: expect.stringContaining('not found') })
  })

  test('a command that is too long', async () => {
    expect((await error(run(`echo ${'x'.repeat(200_000)}`))).message).toMatch(/too long/)
    const { stdout } = await run(`echo ${'x'.repeat(130_000)}`)
    expect(stdout.length).toBe(130_001)
  })

  test('Docker capabilities, no new privileges possible, nothing ignored or blocked', async () => {
    const { stdout } = await run('cat /proc/self/status')
    const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(stdout)?.[1]
    expect(['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(field)).toEqual([
      '0000000000000000',
      '00000000a80425fb',
      '00000000a80425fb',
      '00000000a80425fb',
      '0000000000000000',
    ])
    expect(['NoNewPrivs', 'SigBlk', 'SigIgn'].map(field)).toEqual(['0', '0000000000000000', '0000000000000000'])
  })

  test('insecure: all capabilities', async () => {
    const { stdout } = await run('cat /proc/self/status', { privileges: 'insecure' })
    const own = /^CapBnd:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    expect(/^CapEff:\s*(\S+)/m.exec(stdout)?.[1]).toBe(own)
  })

  test('another user: ids, groups, no capabilities', async () => {
    const { stdout } = await run('id; cat /proc/self/status', { user: { uid: 1234, gid: 55, groups: [55, 77] } })
    expect(stdout).toContain('uid=1234 gid=55 groups=55,77\n')
    expect(stdout).toMatch(/CapEff:\t0+\n/)
  })

  test('first process, hostname, umask, working directory, network files', async () => {
    const script = 'echo $$; cat /proc/sys/kernel/hostname; umask; pwd; cat /etc/hosts /etc/resolv.conf'
    const { stdout } = await run(script, { workdir: '/srv/in' })
    expect(stdout.split('\n')).toEqual([
      '1',
      'buildkitsandbox',
      '0022',
      '/srv/in',
      '127.0.0.1 here',
      'nameserver 192.0.2.1',
      '',
    ])
  })

  test('the kernel is masked and read-only', async () => {
    const script = `
      for file in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do [ -e $file ] && cat $file; done
      for name in /proc/acpi /proc/scsi /sys/firmware; do [ -e $name ] && ls -A $name; done
      for file in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/profiling /etc/hosts /etc/resolv.conf; do
        [ -e $file ] && (echo x >$file) 2>/dev/null && echo "could write $file"
      done
      ls /proc | cat | while read -r name; do case $name in *[!0-9]*) ;; *) echo "process $name" ;; esac; done`
    const { stdout } = await run(script)
    expect(stdout.split('\n').filter(line => !/^(process \d+)?$/.test(line))).toEqual([])
    // The shell, ls, cat and the loop, and nothing of the host.
    expect(stdout.match(/process/g)?.length).toBeLessThanOrEqual(4)
  })

  test('a minimal /dev', async () => {
    const { stdout, stderr } = await run(
      'ls -A /dev | cat; echo x >/dev/null; cat /dev/null; : </dev/zero; ls /dev/pts/ptmx',
    )
    expect(stdout.split('\n').slice(0, -2)).toEqual(
      'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' '),
    )
    expect(stderr).toBe('')
  })

  test('a device node can be made but not opened', async () => {
    const { stdout, stderr } = await run('mknod /disk c 1 5 && stat -c %t:%T /disk && cat /disk')
    expect(stdout).toBe('1:5\n')
    expect(stderr).toMatch(/Permission denied/)
  })

  test('network none: only the loopback interface, which is up', async () => {
    const { stdout } = await run('ls /sys/class/net | cat; cat /sys/class/net/lo/flags', { network: 'none' })
    expect(stdout).toBe('lo\n0x9\n')
  })

  test.skipIf(perl === undefined)('the way out of a chroot ends in the root (needs perl)', async () => {
    const program =
      'mkdir "x"; chroot "x" or die; chdir ".." for 1..200; chroot "." or die; opendir D, "/"; print join " ", sort readdir D'
    const { stdout, exitCode } = await run('', { argv: ['perl', '-e', program] })
    expect(exitCode).toBe(0)
    expect(stdout.split(' ')).toContain('srv')
    expect(stdout.split(' ')).not.toContain('boot')
    expect(stdout.split(' ').filter(name => !readdirSync(rootLayer).includes(name))).toEqual(['.', '..', 'x'])
  })

  test('files that whoever started us left open stay outside', () => {
    const program = programFor(specFor('ls /proc/self/fd | cat', {}))
    const words = ['-c', 'exec 8</ 9>/dev/null "$@"', 'sh', process.execPath, ...nodeArguments, program]
    expect(execFileSync('sh', words, { encoding: 'utf8' })).toBe('0\n1\n2\n3\n')
  })

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

  test('limits', async () => {
    const { stdout } = await run('ulimit -n; ulimit -Hn', { ulimits: [{ name: 'nofile', soft: 99, hard: 123 }] })
    expect(stdout).toBe('99\n123\n')
  })

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
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    let during = ''
    const { stdout } = await run(
      'setsid sleep 10071 & nohup sleep 10072 >/dev/null 2>&1 & echo up; cat /proc/self/mountinfo',
      {
        onOutput: () => void (during ||= readFileSync('/proc/self/mountinfo', 'utf8')),
      },
    )
    expect(stdout).toMatch(/^up\n/)
    expect(during).toBe(before)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
    expect([...processesWith('10071'), ...processesWith('10072')]).toEqual([])
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
    const mark = `4${uid}99`
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

function comm(id: string): string {
  try {
    return readFileSync(`/proc/${id}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
