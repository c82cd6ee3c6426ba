import { describe, expect, test } from 'vitest'
import type { HostTools } from './host-tools.ts'
import { planSandbox, type SandboxPlan } from './plan-sandbox.ts'
import { sandboxMountPoints } from './sandbox-mounts.ts'
import type { SandboxMount, SandboxSpec } from './sandbox-spec.ts'

const host: HostTools = {
  sh: '/bin/sh',
  mount: '/bin/mount',
  unshare: '/usr/bin/unshare',
  setpriv: '/usr/bin/setpriv',
  env: '/usr/bin/env',
  mkdir: '/bin/mkdir',
  prlimit: '/usr/bin/prlimit',
  hostname: '/bin/hostname',
  loopbackUp: ['/sbin/ip', 'link', 'set', 'lo', 'up'],
  path: '/usr/sbin:/usr/bin',
  rootless: false,
  sharedKeeper: true,
  manyIds: true,
  cgroup2: false,
  kernelPaths: new Map([
    ['/proc/kcore', 'file'],
    ['/proc/scsi', 'directory'],
    ['/sys/firmware', 'directory'],
    ['/proc/sys', 'directory'],
    ['/proc/sysrq-trigger', 'file'],
  ]),
  mountFlags: () => ['nosuid', 'relatime'],
}

const spec: SandboxSpec = {
  root: { kind: 'overlay', lower: ['/store/b', '/store/a'], upper: '/w/upper', work: '/w/work' },
  mounts: [],
  argv: ['make', '-j2'],
  env: ['PATH=/bin', 'A=b c'],
  workdir: '/src',
  user: { uid: 0, gid: 0, groups: [] },
  hostname: 'buildkitsandbox',
  network: 'host',
  privileges: 'sandbox',
  hosts: '127.0.0.1 localhost\n',
  resolvConf: 'nameserver 1.1.1.1\n',
  scratch: '/w/scratch',
  stdio: 'pipe',
}

const plan = (more: Partial<SandboxSpec>, tools: Partial<HostTools> = {}): SandboxPlan =>
  planSandbox({ ...spec, ...more }, { ...host, ...tools })
/** Table lines without the trailing numbers. */
const table = (made: SandboxPlan, name = 'fstab.0'): string[] =>
  (made.files.find(([path]) => path === name)?.[1] ?? '').split('\n').map(line => line.replace(/ 0 0$/, ''))
const lineFor = (made: SandboxPlan, target: string): string | undefined =>
  table(made).findLast(line => line.split(' ')[1] === `/..${target}`)
/** What the set-up script gets: variables, `--`, the programs that lead to the command. */
const launch = (made: SandboxPlan): readonly string[] => made.argv.slice(made.argv.indexOf('setup') + 1)
const mapping = (made: SandboxPlan): Record<string, string> => Object.fromEntries(made.links)

describe('the mount table', () => {
  test('of a plain sandbox', () => {
    expect(table(plan({}))).toEqual([
      'overlay /.. overlay lowerdir=0:1,upperdir=upper,workdir=work,redirect_dir=off,metacopy=off,index=off,nodev',
      'proc /../proc proc nosuid,noexec,nodev',
      'sysfs /../sys sysfs nosuid,noexec,nodev,ro',
      '/w/scratch/dev /../dev none bind,nodev',
      '/dev/null /../dev/null none bind',
      '/dev/zero /../dev/zero none bind',
      '/dev/full /../dev/full none bind',
      '/dev/random /../dev/random none bind',
      '/dev/urandom /../dev/urandom none bind',
      '/dev/tty /../dev/tty none bind',
      'devpts /../dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5',
      'mqueue /../dev/mqueue mqueue nosuid,noexec,nodev',
      'shm /../dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=67108864',
      '/w/scratch/hosts /../etc/hosts none bind,ro',
      '/w/scratch/resolv.conf /../etc/resolv.conf none bind,ro',
      '/dev/null /../proc/kcore none bind',
      'tmpfs /../proc/scsi tmpfs ro,nosuid,noexec,nodev,size=0',
      'tmpfs /../sys/firmware tmpfs ro,nosuid,noexec,nodev,size=0',
      '/../proc/sys /../proc/sys none bind,ro,nosuid,noexec,nodev',
      '/../proc/sysrq-trigger /../proc/sysrq-trigger none bind,ro,nosuid,noexec,nodev',
      '',
    ])
  })

  test('layers get short names, so that neither their number nor their characters matter', () => {
    const lower = Array.from({ length: 400 }, (_, index) => `/a very long, odd: path/${'x'.repeat(100)}/${index}`)
    const made = plan({ root: { kind: 'overlay', lower, upper: '/u', work: '/k' } })
    expect(lineFor(made, '')?.length).toBeLessThan(4096)
    expect(mapping(made)['layers/b3']).toBe(lower[399])
    expect(mapping(made)['layers/0']).toBe(lower[0])
  })

  test('no layer at all: an empty directory below the upper one', () => {
    const made = plan({ root: { kind: 'overlay', lower: [], upper: '/u', work: '/k' } })
    expect(mapping(made)['layers/0']).toBe('/w/scratch/empty')
  })

  const options: [string, Partial<SandboxSpec>, Partial<HostTools>, string, string][] = [
    [
      'volatile',
      { root: { kind: 'overlay', lower: ['/l'], upper: '/u', work: '/k', volatile: true } },
      {},
      '',
      'overlay /.. overlay lowerdir=0,upperdir=upper,workdir=work,redirect_dir=off,metacopy=off,index=off,volatile,nodev',
    ],
    [
      'overlay in a user namespace',
      {},
      { rootless: true },
      '',
      'overlay /.. overlay lowerdir=0:1,upperdir=upper,workdir=work,userxattr,index=off',
    ],
    ['a directory', { root: { kind: 'directory', path: '/r' } }, {}, '', '/r /.. none bind,nodev'],
    [
      'insecure: devices work',
      { root: { kind: 'directory', path: '/r' }, privileges: 'insecure' },
      {},
      '',
      '/r /.. none bind',
    ],
    ['insecure: /sys is writable', { privileges: 'insecure' }, {}, '/sys', 'sysfs /../sys sysfs nosuid,noexec,nodev'],
    ["/sys of the host's network", {}, { rootless: true }, '/sys', '/sys /../sys none rbind,ro,nosuid,relatime'],
    [
      '/sys of an own network',
      { network: 'none' },
      { rootless: true },
      '/sys',
      'sysfs /../sys sysfs nosuid,noexec,nodev,ro',
    ],
    [
      'control groups',
      {},
      { cgroup2: true },
      '/sys/fs/cgroup',
      'cgroup2 /../sys/fs/cgroup cgroup2 nosuid,noexec,nodev,ro',
    ],
    [
      'no tty group',
      {},
      { manyIds: false },
      '/dev/pts',
      'devpts /../dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620',
    ],
    [
      'shared memory',
      { shmSize: 1024 },
      {},
      '/dev/shm',
      'shm /../dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=1024',
    ],
    [
      'a linked file',
      { resolved: new Map([['/etc/resolv.conf', '/run/r.conf']]) },
      {},
      '/run/r.conf',
      '/w/scratch/resolv.conf /../run/r.conf none bind,ro',
    ],
    [
      'what is below a linked directory',
      { resolved: new Map([['/proc', '/p q']]) },
      {},
      '/p\\040q/sys',
      '/../p\\040q/sys /../p\\040q/sys none bind,ro,nosuid,noexec,nodev',
    ],
  ]
  test.each(options)('%s', (_, more, tools, target, expected) => {
    expect(lineFor(plan(more, tools), target)).toBe(expected)
  })

  test('insecure: nothing is masked', () => {
    expect(table(plan({ privileges: 'insecure' })).filter(line => / \/\.\.\/proc\//.test(line))).toEqual([])
  })

  const mounts: [string, SandboxMount, Partial<HostTools>, string][] = [
    ['bind', { kind: 'bind', source: '/s', target: '/t', readonly: false }, {}, '/s /../t none bind,nodev'],
    ['read-only', { kind: 'bind', source: '/s', target: '/t', readonly: true }, {}, '/s /../t none bind,ro,nodev'],
    [
      'read-only keeps what the host has locked',
      { kind: 'bind', source: '/s', target: '/t', readonly: true },
      { rootless: true },
      '/s /../t none bind,ro,nosuid,relatime',
    ],
    [
      'recursive',
      { kind: 'bind', source: '/s', target: '/t', readonly: false, recursive: true },
      {},
      '/s /../t none rbind,nodev',
    ],
    [
      'odd characters',
      { kind: 'bind', source: '/a b,c:d\\e\tf#', target: '/x y', readonly: false },
      {},
      '/a\\040b,c:d\\134e\\011f\\043 /../x\\040y none bind,nodev',
    ],
    [
      'tmpfs',
      { kind: 'tmpfs', target: '/t', size: 5, mode: 0o700 },
      {},
      'tmpfs /../t tmpfs nosuid,nodev,mode=700,size=5',
    ],
    ['plain tmpfs', { kind: 'tmpfs', target: '/t' }, {}, 'tmpfs /../t tmpfs nosuid,nodev,mode=1777'],
    [
      'overlay',
      { kind: 'overlay', target: '/t', lower: ['/c'], upper: '/cu', work: '/cw' },
      {},
      'overlay /../t overlay lowerdir=0.0,upperdir=0.upper,workdir=0.work,redirect_dir=off,metacopy=off,index=off,nodev',
    ],
  ]
  test.each(mounts)('mount: %s', (_, mount, tools, expected) => {
    expect(table(plan({ mounts: [mount] }, tools)).at(-2)).toBe(expected)
  })

  test('what a later mount covers whole is left out', () => {
    const bind = (source: string, target: string): SandboxMount => ({ kind: 'bind', source, target, readonly: false })
    const made = plan({ mounts: [bind('/1', '/a/b'), bind('/2', '/c'), bind('/3', '/a'), bind('/4', '/c')] })
    expect(table(made).slice(-3)).toEqual(['/3 /../a none bind,nodev', '/4 /../c none bind,nodev', ''])
  })

  test('mount points inside a tmpfs are made once it is there', () => {
    const made = plan({
      mounts: [
        { kind: 'tmpfs', target: '/run' },
        { kind: 'bind', source: '/s', target: '/run/secrets/x', readonly: true, type: 'file' },
        { kind: 'bind', source: '/d', target: '/srv', readonly: true },
      ],
    })
    expect(table(made).at(-2)).toBe('tmpfs /../run tmpfs nosuid,nodev,mode=1777')
    expect(table(made, 'fstab.1')).toEqual([
      '/s /../run/secrets/x none bind,ro,nodev',
      '/d /../srv none bind,ro,nodev',
      '',
    ])
    expect(made.argv.find(word => word.includes('fstab.1'))).toContain(
      "-p -- '/../run/secrets' || exit 125\n: > '/../run/secrets/x' || exit 125\n",
    )
    expect(sandboxMountPoints({ mounts: [] }).map(({ path }) => path)).toEqual([
      '/proc',
      '/sys',
      '/dev',
      '/etc/hosts',
      '/etc/resolv.conf',
    ])
  })

  test('mount points inside /dev, which is ours, are made there', () => {
    const made = plan({
      mounts: [
        { kind: 'bind', source: '/s', target: '/dev/pipes/EOF', readonly: true, type: 'file' },
        { kind: 'bind', source: '/d', target: '/dev/a/b', readonly: true },
        { kind: 'tmpfs', target: '/dev/shm' },
      ],
    })
    expect(made.directories.filter(path => /^dev\/(a|pipes|shm)/.test(path))).toEqual([
      'dev/shm',
      'dev/pipes',
      'dev/a',
      'dev/a/b',
    ])
    expect(made.files).toContainEqual(['dev/pipes/EOF', ''])
  })

  test('mount points that the caller has to provide', () => {
    const mounts: SandboxMount[] = [
      { kind: 'tmpfs', target: '/run' },
      { kind: 'tmpfs', target: '/run/x' },
      { kind: 'bind', source: '/s', target: '/a/key', readonly: true, type: 'file' },
    ]
    expect(sandboxMountPoints({ mounts }).slice(5)).toEqual([
      { path: '/run', type: 'directory' },
      { path: '/a/key', type: 'file' },
    ])
  })
})

describe('the command line', () => {
  const caps =
    '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap'
  const tools = '/w/scratch/tools'

  test('root in a sandbox', () => {
    const setpriv = [`${tools}/slipway-launch-as`, '--regid', '0', '--clear-groups', '--inh-caps=-all']
    const env = ['/usr/bin/env', '-i', 'PATH=/bin', 'A=b c']
    const unshare = [`${tools}/slipway-launch`, '--root=/..', '--wd=/src', '--']
    expect(launch(plan({}))).toEqual([...setpriv, `--bounding-set=${caps}`, ...env, ...unshare, 'make', '-j2'])
  })

  test('the tools of the host get an environment of their own', () => {
    expect(plan({ env: ['PATH=/evil', 'LD_PRELOAD=x'], inRoot: { env: '/bin/env' } }).env).toEqual({
      PATH: '/usr/sbin:/usr/bin',
      LC_ALL: 'C',
      LIBMOUNT_FORCE_MOUNT2: 'always',
    })
  })

  const cases: [string, Partial<SandboxSpec>, Partial<HostTools>, (string | RegExp)[]][] = [
    [
      'a user with groups',
      { user: { uid: 1000, gid: 100, groups: [5, 6] } },
      {},
      ['--regid 100 --groups 5,6 ', '--setuid=1000 --'],
    ],
    ['a single id', {}, { manyIds: false }, ['--regid 0 --keep-groups ']],
    [
      'insecure',
      { privileges: 'insecure' },
      {},
      [/--clear-groups \/usr\/bin\/env -i PATH=\/bin A=b c \S+slipway-launch /],
    ],
    [
      'limits',
      { ulimits: [{ name: 'nofile', soft: 10, hard: -1 }] },
      {},
      [/^\S+slipway-launch-limited --nofile=10:unlimited \S+slipway-launch-as /],
    ],
    [
      "the loader's names",
      { env: ['A=1', 'LD_PRELOAD=./x'], inRoot: { env: '/usr/bin/env', sh: '/bin/sh' } },
      {},
      [
        /^\S+slipway-launch-as .* \/usr\/bin\/env -i \S+slipway-launch --root=\S+ --wd=\S+ -- \/usr\/bin\/env -i A=1 LD_PRELOAD=\.\/x make -j2$/,
      ],
    ],
    [
      'without env in the image',
      { env: ['A=1', 'LD_PRELOAD=./x'], inRoot: { sh: '/bin/sh' } },
      {},
      [/ \/usr\/bin\/env -i A=1 \S+slipway-launch .* -- \/bin\/sh -c .* sh LD_PRELOAD=\.\/x -- make -j2$/],
    ],
    [
      'a program with an equals sign',
      { env: ['LD_PRELOAD=./x'], argv: ['a=b'], inRoot: { env: '/usr/bin/env', sh: '/bin/sh' } },
      {},
      [/ -- \/bin\/sh -c .* sh LD_PRELOAD=\.\/x -- a=b$/],
    ],
    ['the last of equal names', { env: ['A=1', 'B=2', 'A=3'] }, {}, ['/usr/bin/env -i A=3 B=2 ']],
  ]
  test.each(cases)('%s', (_, more, tools, expected) => {
    const words = launch(plan(more, tools)).join(' ')
    for (const part of expected) {
      if (typeof part === 'string') expect(words).toContain(part)
      else expect(words).toMatch(part)
    }
  })

  test('network none', () => {
    const made = plan({ network: 'none' })
    expect(made.argv).toContain('--net')
    expect(made.argv.join('\n')).toContain("'/sbin/ip' 'link' 'set' 'lo' 'up' || exit 125")
    expect(plan({}).argv).not.toContain('--net')
  })

  test('a keeper of its own where we could not leave that of all', () => {
    const [shared, alone] = [plan({}), plan({}, { sharedKeeper: false })]
    expect([shared.keeper?.argv.at(-1), alone.keeper]).toEqual(['keeper', undefined])
    expect(launch(alone)).toEqual(launch(shared))
    expect([shared, alone].map(made => made.argv.filter(word => word === '--pid').length)).toEqual([1, 2])
  })
})

describe('errors', () => {
  const cases: [string, Partial<SandboxSpec>, Partial<HostTools>, RegExp][] = [
    [
      'a user without ids',
      { user: { uid: 5, gid: 0, groups: [] } },
      { manyIds: false },
      /user 5:0 does not exist here/,
    ],
    ['no tool for the loopback interface', { network: 'none' }, { loopbackUp: undefined }, /loopback interface/],
    [
      'too many layers',
      { root: { kind: 'overlay', lower: Array.from({ length: 501 }, () => '/l'), upper: '/u', work: '/k' } },
      {},
      /501 layers/,
    ],
    ['an unknown limit', { ulimits: [{ name: 'files', soft: 1, hard: 1 }] }, {}, /unknown resource limit files/],
    ['loader variables and nothing to set them', { env: ['LD_LIBRARY_PATH=/x'] }, {}, /can't set LD_LIBRARY_PATH/],
    [
      'readonly and recursive',
      { mounts: [{ kind: 'bind', source: '/s', target: '/t', readonly: true, recursive: true }] },
      {},
      /read-only and recursive/,
    ],
    ['a target with ..', { mounts: [{ kind: 'tmpfs', target: '/a/../..' }] }, {}, /not a normalised absolute path/],
    ['a relative working directory', { workdir: 'src' }, {}, /not a normalised absolute path/],
    ['a mount on the root', { mounts: [{ kind: 'tmpfs', target: '/' }] }, {}, /a mount on the root/],
    ['no program', { argv: [] }, {}, /argv without a program/],
    ['an environment entry without a name', { env: ['=x'] }, {}, /not NAME=value/],
  ]
  test.each(cases)('%s', (_, more, tools, message) => {
    expect(() => plan(more, tools)).toThrow(message)
  })
})
