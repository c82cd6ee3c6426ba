import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from './host-tools.ts'

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const newuidmap = findProgram('newuidmap', path)
const asRoot = process.getuid?.() === 0
const uid = 54321
let base = ''

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'user-test-'))
  chownSync(base, uid, uid)
  writeFileSync(join(base, 'passwd'), `root:x:0:0::/root:/bin/sh\nordinary:x:${uid}:${uid}::/:/bin/sh\n`)
  writeFileSync(join(base, 'range'), 'ordinary:700000:65536\n')
  writeFileSync(join(base, 'none'), '')
  chmodSync(base, 0o755)
})
// Files of subordinate ids belong to others, but we are root.
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** Runs a module's text as an ordinary user with this range of ids, in a mount namespace where that user exists. */
function asOrdinaryUser(
  program: string,
  ranges: 'range' | 'none',
): { status: number | null; stdout: string; stderr: string } {
  const file = join(base, `program-${ranges}.ts`)
  writeFileSync(file, program)
  const script = `
    mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/$2" /etc/subuid && mount --bind "$1/$2" /etc/subgid || exit 99
    exec setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all --bounding-set=+all -- "$3" --conditions=slipway-source "$4"`
  return spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', base, ranges, process.execPath, file], {
    cwd: base,
    encoding: 'utf8',
    env: { PATH: path, TMPDIR: base },
  })
}

/** Node may live where only root may go. */
const nodeIsReachable =
  asRoot && spawnSync('setpriv', ['--reuid', '54321', '--clear-groups', process.execPath, '-v']).status === 0
const module = fileURLToPath(new URL('./index.ts', import.meta.url))
const prelude = `
  import * as linux from ${JSON.stringify(module)}
  import { readFileSync } from 'node:fs'
  if (!process.env[linux.userNamespaceMarker]) {
    process.exit(await linux.enterUserNamespace([process.execPath, ...process.execArgv, ...process.argv.slice(1)], { env: process.env }))
  }
`

describe.skipIf(!asRoot || !nodeIsReachable)('an ordinary user (made by root)', () => {
  test('without a range: root alone', () => {
    const { stdout, status } = asOrdinaryUser(
      `${prelude} console.log(process.getuid(), readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\\s+/).join(' ')); process.exitCode = 5`,
      'none',
    )
    expect([stdout, status]).toEqual([`0 0 ${uid} 1\n`, 5])
  })

  test.skipIf(newuidmap === undefined)('with a range: all of it (needs newuidmap)', () => {
    const { stdout, stderr, status } = asOrdinaryUser(
      `${prelude} console.log(readFileSync('/proc/self/gid_map', 'utf8').trim().split(/\\s+/).join(' '))`,
      'range',
    )
    expect([stdout, stderr, status]).toEqual([`0 ${uid} 1 1 700000 65536\n`, '', 0])
  })

  test.skipIf(newuidmap === undefined)(
    'a sandbox as ordinary user: overlay, chown, users, own network (needs newuidmap)',
    () => {
      const root = join(base, 'root')
      makeRoot(root)
      const run = (script: string, more: string): string => `
      for (const name of ['scratch', 'upper', 'work']) { rmSync(base + name, { recursive: true, force: true }); mkdirSync(base + name) }
      console.log(JSON.stringify(await linux.runSandbox(linux.planSandbox({
        root: { kind: 'overlay', lower: [${JSON.stringify(root)}], upper: base + 'upper', work: base + 'work' },
        mounts: [], argv: ['sh', '-c', ${JSON.stringify(script)}], env: ['PATH=/bin'], workdir: '/', hostname: 'inside',
        user: { uid: 0, gid: 0, groups: [] }, network: 'host', privileges: 'sandbox', hosts: '', resolvConf: '',
        scratch: base + 'scratch', stdio: 'pipe', ${more}
      }, linux.findHostTools(process.env.PATH)), { onOutput: (_, chunk) => process.stdout.write(chunk) })))`
      const program = `${prelude}
      import { mkdirSync, rmSync } from 'node:fs'
      const base = ${JSON.stringify(`${base}/work-`)}
      ${run('echo x >/f && chown 33:44 /f && stat -c %u:%g /f; rm -r /old; cat /proc/sys/kernel/hostname; exit 3', '')}
      ${run('id; ls /sys/class/net', "user: { uid: 12, gid: 34, groups: [5] }, network: 'none'")}
    `
      const { stdout, stderr } = asOrdinaryUser(program, 'range')
      expect(stderr).toBe('')
      expect(stdout.split('\n')).toEqual([
        '33:44',
        'inside',
        '{"exitCode":3,"oomKilled":false}',
        'uid=12 gid=34 groups=34,5',
        'lo',
        '{"exitCode":0,"oomKilled":false}',
        '',
      ])
    },
  )

  test('the report for an ordinary user', () => {
    const text = `import { probeHost } from ${JSON.stringify(module)}
      console.log(JSON.stringify(await probeHost({ path: process.env.PATH, directory: ${JSON.stringify(base)} })))`
    const { stdout } = asOrdinaryUser(text, 'none')
    const report = JSON.parse(stdout) as { isolation: string; checks: { id: string; state: string; hint?: string }[] }
    expect(report.isolation).toBe('user-namespace')
    expect(report.checks.filter(check => check.state !== 'ok')).toEqual([
      expect.objectContaining({ id: 'subordinate-ids', state: 'limited', hint: expect.stringContaining('uidmap') }),
    ])
  })
})

/** A root file system of programs of this machine. */
function makeRoot(root: string): void {
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'old']) mkdirSync(join(root, name), { recursive: true })
  for (const name of ['hosts', 'resolv.conf']) writeFileSync(join(root, 'etc', name), '')
  writeFileSync(join(root, 'old/file'), '')
  for (const name of ['sh', 'id', 'ls', 'cat', 'chown', 'stat', 'rm']) {
    const program = findProgram(name, path)
    if (program === undefined) throw new Error(`this machine has no ${name}`)
    copyFileSync(program, join(root, 'bin', name))
    for (const [library] of spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/\/\S+/g)) {
      if (existsSync(join(root, library))) continue
      mkdirSync(dirname(join(root, library)), { recursive: true })
      copyFileSync(library, join(root, library))
    }
  }
  symlinkSync('/proc/self/mounts', join(root, 'etc/mtab'))
  chmodSync(root, 0o755)
  spawnSync('chown', ['-R', '-h', `${uid}:${uid}`, root])
}
