import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  asRoot,
  comm,
  error,
  nodeArguments,
  perl,
  processesWith,
  programFor,
  rootLayer,
  run,
  specFor,
  until,
} from './sandbox-bed.test.ts'
import type { SandboxSpec } from './sandbox-spec.ts'

describe.skipIf(!asRoot)('a command in a sandbox (needs root)', () => {
  test.each([0, 1, 77, 125, 127, 137, 255])('exit code %i is passed on', async code => {
    const { exitCode, signal, oomKilled } = await run(`exit ${code}`)
    expect({ exitCode, signal, oomKilled }).toEqual({ exitCode: code, signal: undefined, oomKilled: false })
  })

  test('death by a signal is told from an exit code', async () => {
    // From outside: the first process of a namespace can't be killed from inside.
    let killing: Promise<void> | undefined
    const kill = async (): Promise<void> => {
      const asleep = (): readonly string[] => processesWith('10061').filter(id => comm(id) === 'sleep')
      await until(() => asleep().length > 0)
      for (const id of asleep()) process.kill(Number(id), 'SIGKILL')
    }
    const result = await run('echo up; exec sleep 10061', { onOutput: () => void (killing ??= kill()) })
    await killing
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

  test.each(['', 'user'])('what it writes to can be opened by name %s', async user => {
    const more = user === '' ? {} : { user: { uid: 1234, gid: 1234, groups: [], home: '/' } }
    const { stdout, stderr } = await run(
      'echo out >/dev/stdout; echo err >/dev/stderr; echo more >/proc/self/fd/1',
      more,
    )
    expect({ stdout, stderr }).toEqual({ stdout: 'out\nmore\n', stderr: 'err\n' })
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
    expect(stdout.split('\n').slice(0, -2)).toEqual([
      ...(existsSync('/proc/kcore') ? ['core'] : []),
      ...'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' '),
    ])
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

  test('limits', async () => {
    const { stdout } = await run('ulimit -n; ulimit -Hn', { ulimits: [{ name: 'nofile', soft: 99, hard: 123 }] })
    expect(stdout).toBe('99\n123\n')
  })
})
