import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MadePackage, writeMirror } from './oracle/package-mirror.ts'
import { type Ended, slipway } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-bases-'))
const mirror = join(root, 'mirror')
afterAll(() => rmSync(root, { recursive: true, force: true }))

const packages = (version: string): readonly MadePackage[] => [
  {
    name: 'base-files',
    version: '1',
    fields: { 'Pre-Depends': 'awk' },
    files: {
      'etc/': '',
      'etc/debian_version': '12\n',
      'var/': '',
      'var/run/': '',
      'usr/': '',
      'usr/share/doc/a': 'long',
    },
  },
  {
    name: 'base-passwd',
    version: '1',
    fields: { Depends: 'libc6, libdebconfclient0' },
    files: {
      'usr/share/base-passwd/passwd.master': 'root:*:0:0:root:/root:/bin/bash\n',
      'usr/share/base-passwd/group.master': 'root:*:0:\nmail:*:8:\nnogroup:*:65534:\n',
      'usr/sbin/update-passwd': 'program',
    },
  },
  {
    name: 'daemon',
    version,
    fields: { Depends: 'adduser, debconf | debconf-2.0, libdaemon (>= 1)', 'Installed-Size': '7', Source: 'dae (9)' },
    scripts: {
      postinst:
        '#!/bin/sh\nadduser --system --group --home /var/lib/daemon daemon\n' +
        'update-alternatives --install /usr/bin/serve serve /usr/bin/daemon 10\n',
    },
    files: { 'usr/bin/daemon': 'program', 'lib/x': 'below usr', 'usr/share/man/man1/daemon.1': 'page' },
  },
  {
    name: 'libdaemon',
    version: '2',
    files: { 'usr/lib/libdaemon.so.1': 'no library', 'usr/lib/l': '-> libdaemon.so.1' },
  },
]

const base = `kind: minimal
suite: box
architecture: amd64
mirror: ${pathToFileURL(mirror).href}
trusted: true
packages: [daemon]
users:
  - {name: app, uid: 10001, home: /home/app}
directories:
  - {path: /data, mode: 0750, owner: "app:daemon"}
files:
  - {path: /etc/app.conf, content: "x=1\\n", mode: 0600, owner: app}
  - {path: /srv/tree, source: ./tree}
links:
  - {path: /usr/bin/other, target: daemon}
layers: 3
user: app
`

const run = (...args: readonly string[]): Promise<Ended> =>
  slipway(args, { root, env: { SLIPWAY_PACKAGE_CACHE: join(root, 'packages') } })
async function ok(...args: readonly string[]): Promise<Ended> {
  const ended = await run(...args)
  expect(ended.code, `${args.join(' ')}: ${ended.stderr}`).toBe(0)
  return ended
}

beforeAll(async () => {
  await writeMirror(mirror, packages('1.0'), 'Sat, 11 Jul 2026 10:16:37 UTC')
  mkdirSync(join(root, 'tree'))
  writeFileSync(join(root, 'tree/file'), 'in a tree')
  writeFileSync(join(root, 'base.yaml'), base)
})

describe('a minimal base', () => {
  let listed: ReadonlyMap<string, string>
  let said = ''
  const content = (path: string): string => readFileSync(join(root, 'out', path), 'utf8')
  beforeAll(async () => {
    const outputs = ['-o', 'type=local,dest=out', '-o', 'type=tar,dest=out.tar']
    said = (await ok('base', 'build', 'base.yaml', '-t', 'base', ...outputs)).stderr
    const { spawnSync } = await import('node:child_process')
    const { stdout } = spawnSync('tar', ['-tvf', join(root, 'out.tar'), '--numeric-owner'], { encoding: 'utf8' })
    listed = new Map(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => {
          const [mode = '', owner = '', , , , ...name] = line.split(/\s+/)
          return [(name[0] ?? '').replace(/^\.?\//, '').replace(/\/$/, ''), `${mode} ${owner}`] as const
        }),
    )
  })

  test('has files of packages under a merged /usr, without manuals', () => {
    expect(content('usr/bin/daemon')).toBe('program')
    expect(content('usr/lib/x')).toBe('below usr')
    expect(listed.get('lib')).toMatch(/^l/)
    expect([...listed.keys()].filter(path => /man1|share\/doc|update-passwd|base-passwd\//.test(path))).toEqual([])
  })

  test('says which dependencies it does not follow', () => {
    expect(said).toMatch(
      /^dependencies not followed: adduser \(daemon\); awk \(base-files\); debconf \| debconf-2\.0 \(daemon\); /m,
    )
  })

  test('says so to programs, too', async () => {
    const { stderr } = await ok('base', 'build', 'base.yaml', '--progress', 'json')
    const events = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events.at(-1)).toMatchObject({
      kind: 'result',
      omitted: expect.arrayContaining([
        { of: 'daemon', relation: 'adduser' },
        { of: 'daemon', relation: 'debconf | debconf-2.0' },
        { of: 'base-files', relation: 'awk' },
      ]),
    })
  })

  test('has what scripts would have made', () => {
    expect(content('etc/passwd')).toBe(
      'root:*:0:0:root:/root:/usr/sbin/nologin\n' +
        'daemon:*:100:100::/var/lib/daemon:/usr/sbin/nologin\n' +
        'app:*:10001:10001::/home/app:/usr/sbin/nologin\n',
    )
    expect(content('etc/group')).toMatch(/^daemon:x:100:\napp:x:10001:\n$/m)
    expect(content('etc/nsswitch.conf')).toMatch(/^hosts:\s+files dns$/m)
    expect(readlinkSync(join(root, 'out/usr/bin/serve'))).toBe('/etc/alternatives/serve')
    expect(readlinkSync(join(root, 'out/etc/alternatives/serve'))).toBe('/usr/bin/daemon')
    expect(listed.get('var/run')).toMatch(/^l/)
  })

  test('has what its file asks for', () => {
    expect(listed.get('data')).toBe('drwxr-x--- 10001/100')
    expect(listed.get('etc/app.conf')).toBe('-rw------- 10001/10001')
    expect(listed.get('home/app')).toBe('drwx------ 10001/10001')
    expect(content('srv/tree/file')).toBe('in a tree')
    expect(content('usr/bin/other')).toBe('program')
  })

  test('says which packages it has', () => {
    expect(content('var/lib/dpkg/status.d/daemon')).toMatch(
      /^Package: daemon\nStatus: install ok installed\nVersion: 1.0$/m,
    )
    expect(content('var/lib/dpkg/status.d/daemon.md5sums')).toBe(
      // md5sum of "program" and of "below usr".
      'a9c449d4fa44e9e5a41c574ae55ce4d9  usr/bin/daemon\nc68797e989ef796e00a99f24a4d18f50  lib/x\n',
    )
  })

  test('names packages in its history, one layer for large sources and one for settings', async () => {
    const { stdout } = await ok('history', '--no-trunc', 'base')
    expect(stdout).toMatch(/slipway base build # box, minimal: settings/)
    expect(stdout).toMatch(/# box, minimal: .*daemon/)
  })
})

describe('a base that was composed before', () => {
  const isAnew = async (...options: readonly string[]): Promise<boolean> => {
    const { stderr } = await ok('base', 'build', 'base.yaml', '--progress', 'plain', ...options)
    expect(stderr).toMatch(/^dependencies not followed: adduser \(daemon\); /m)
    const [, id] = /^#(\d+) composing 4 packages$/m.exec(stderr) ?? []
    if (id !== undefined) expect(stderr).toMatch(new RegExp(`^#${id} CACHED$`, 'm'))
    expect(/^#\d+ storing the image$/m.test(stderr)).toBe(id === undefined)
    return id === undefined
  }

  test('is not composed again, unless somebody asks for it', async () => {
    expect(await isAnew()).toBe(false)
    expect(await isAnew('--no-cache')).toBe(true)
    writeFileSync(join(root, 'base.yaml'), `# Explains nothing.\n${base}`)
    expect(await isAnew()).toBe(false)
  })

  test('is composed again when what it follows from changes', async () => {
    writeFileSync(join(root, 'tree/file'), 'changed')
    expect(await isAnew()).toBe(true)
    writeFileSync(join(root, 'tree/other'), 'more')
    expect(await isAnew()).toBe(true)
    writeFileSync(join(root, 'base.yaml'), base.replace('10001', '10002'))
    expect(await isAnew()).toBe(true)
    await writeMirror(mirror, packages('1.0'), 'Sat, 11 Jul 2026 10:16:38 UTC')
    expect(await isAnew()).toBe(true)
    writeFileSync(join(root, 'base.yaml'), base)
    await writeMirror(mirror, packages('1.0'), 'Sat, 11 Jul 2026 10:16:37 UTC')
    rmSync(join(root, 'tree/other'))
    writeFileSync(join(root, 'tree/file'), 'in a tree')
    expect(await isAnew()).toBe(false)
  })

  test('is composed again when it was removed', async () => {
    const { stdout } = await ok('base', 'build', 'base.yaml', '-q')
    await ok('rmi', '-f', stdout.trim())
    expect(await isAnew()).toBe(true)
  })
})

describe('a lock', () => {
  const lockText = (): string => readFileSync(join(root, 'base.lock'), 'utf8')

  test('holds packages, and makes the same image without an index', async () => {
    const { stdout: unlocked } = await ok('base', 'build', 'base.yaml', '-q')
    await ok('base', 'lock', 'base.yaml')
    expect(lockText()).toMatch(/"name":"daemon","version":"1.0","architecture":"amd64","source":"dae"/)
    expect(lockText()).not.toContain('file:')
    rmSync(join(mirror, 'dists'), { recursive: true })
    const { stdout } = await ok('base', 'build', 'base.yaml', '-q', '--no-cache')
    expect(stdout).toBe(unlocked)
  })

  test('is compared with what is newer', async () => {
    await writeMirror(mirror, packages('1.1'), 'Sun, 12 Jul 2026 10:16:37 UTC')
    const { stdout } = await ok('base', 'update', 'base.yaml')
    expect(stdout).toMatch(/^amd64: 1 changed; /)
    expect(stdout).toMatch(/^daemon +1\.0 +1\.1 /m)
    expect(lockText()).toContain('"version":"1.0"')
    await ok('base', 'update', '--write', 'base.yaml')
    expect(lockText()).toContain('"version":"1.1"')
  })

  test('gives bills of materials', async () => {
    const spdx = JSON.parse((await ok('base', 'sbom', 'base.yaml')).stdout)
    expect(spdx.spdxVersion).toBe('SPDX-2.3')
    const daemon = spdx.packages.find((item: { name: string }) => item.name === 'daemon')
    expect(daemon.externalRefs[0].referenceLocator).toBe('pkg:deb/box/daemon@1.1?arch=amd64&distro=box&upstream=dae')
    expect(spdx.relationships).toContainEqual({
      spdxElementId: 'SPDXRef-Package-daemon-1.1-amd64',
      relationshipType: 'DEPENDS_ON',
      relatedSpdxElement: 'SPDXRef-Package-libdaemon-2-amd64',
    })
    await ok('base', 'build', 'base.yaml', '-q', '--sbom', 'b.cdx.json')
    const cdx = JSON.parse(readFileSync(join(root, 'b.cdx.json'), 'utf8'))
    expect([cdx.bomFormat, cdx.specVersion, cdx.components.length]).toEqual(['CycloneDX', '1.6', 4])
  })

  test('of another file, of a version that is gone, or damaged, is an error that says what to do', async () => {
    writeFileSync(join(root, 'base.yaml'), base.replace('[daemon]', '[daemon, libdaemon]'))
    expect((await run('base', 'build', 'base.yaml')).stderr).toMatch(/lock is of another base file[\s\S]*base lock/)
    writeFileSync(join(root, 'base.yaml'), base)
    rmSync(join(root, 'packages'), { recursive: true })
    rmSync(join(mirror, 'pool/daemon_1.1_amd64.deb'))
    const gone = await run('base', 'build', 'base.yaml', '--no-cache')
    expect(gone.code).toBe(1)
    expect(gone.stderr).toMatch(/no longer has daemon 1\.1, which the lock names[\s\S]*hint: .*base update/)
    writeFileSync(join(root, 'base.lock'), '{}')
    expect((await run('base', 'build', 'base.yaml')).stderr).toMatch(/base\.lock is not a lock of a base/)
  })
})

test.skipIf(existsSync('/proc/sys/fs/binfmt_misc/qemu-s390x'))(
  'a full base of an architecture that cannot run here is refused before any other is made',
  async () => {
    writeFileSync(
      join(root, 'full.yaml'),
      base.replace('kind: minimal', '').replace('architecture: amd64', 'architectures: [amd64, s390x]'),
    )
    const ended = await run('base', 'build', 'full.yaml')
    expect(ended.stderr).toMatch(/^error: programs for s390x cannot run on this machine\n --> full\.yaml:3:/)
    expect(ended.code).toBe(1)
  },
)

test('a repository without a signature is refused unless it is trusted', async () => {
  rmSync(join(root, 'base.lock'), { force: true })
  await writeMirror(mirror, packages('1.0'), 'Sat, 11 Jul 2026 10:16:37 UTC')
  writeFileSync(join(root, 'base.yaml'), base.replace('trusted: true\n', ''))
  const ended = await run('base', 'build', 'base.yaml')
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/keyring|not a signed/)
})
