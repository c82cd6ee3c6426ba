import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { readHostApt } from './host-apt.ts'
import { readBaseFile } from './read-base-file.ts'
import { type Repository, selectRepositories } from './select-repositories.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

function hostWith(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'slipway-host-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

function select(base: string, files: Readonly<Record<string, string>>, mirror?: string): readonly Repository[] {
  const host = readHostApt(hostWith(files))
  const context = { directory: '/project', mirror, host, architecture: 'amd64' }
  return selectRepositories(readBaseFile({ name: 'base.yaml', text: base }), context)
}

const shown = (repositories: readonly Repository[]): string[] =>
  repositories.map(({ uri, suite, components, optional }) =>
    [uri, suite, components.join(','), ...(optional ? ['optional'] : [])].join(' '),
  )

const osRelease = { 'etc/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n' }
const deb822 = `# a comment
Types: deb deb-src
URIs: http://a.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/x.gpg

Types: deb
URIs: http://a.example/debian-security
Suites: bookworm-security
Components: main
# another
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINB
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
`

describe('the host configuration', () => {
  test('deb822 sources of the suite and what belongs to it', () => {
    const found = select('suite: bookworm\n', { ...osRelease, 'etc/apt/sources.list.d/debian.sources': deb822 })
    expect(shown(found)).toEqual([
      'http://a.example/debian bookworm main',
      'http://a.example/debian bookworm-updates main optional',
      'http://a.example/debian-security bookworm-security main optional',
    ])
    expect(found[0]?.trust).toMatchObject({ kind: 'files', own: false })
    expect(found[2]?.trust).toEqual({
      kind: 'key',
      text: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINB\n-----END PGP PUBLIC KEY BLOCK-----\n',
    })
  })

  test('one-line sources', () => {
    const list = [
      '# deb http://commented.example/debian bookworm main',
      'deb [ arch=arm64 ] http://arm.example/debian bookworm main',
      'deb [arch=amd64,i386 check-valid-until=no trusted=yes] http://a.example/debian bookworm main contrib # note',
      'deb-src http://a.example/debian bookworm main',
      'deb http://flat.example/ ./',
      'deb cdrom:[Debian]/ bookworm main',
      'deb copy:/srv/debian bookworm-updates main',
      'deb https://third.example/debian bookworm stable',
      'deb https://pg.example/apt bookworm-pgdg main',
    ].join('\n')
    const found = select('suite: bookworm\n', { ...osRelease, 'etc/apt/sources.list': list })
    expect(shown(found)).toEqual([
      'http://a.example/debian bookworm main',
      'file:/srv/debian bookworm-updates main optional',
    ])
    expect(found[0]).toMatchObject({ checkValidUntil: false, trust: { kind: 'unverified' } })
  })

  test('another release comes from the same mirror', () => {
    const found = select('suite: trixie\n', { ...osRelease, 'etc/apt/sources.list.d/debian.sources': deb822 })
    expect(shown(found)).toEqual([
      'http://a.example/debian trixie main',
      'http://a.example/debian trixie-updates main optional',
      'http://a.example/debian-security trixie-security main optional',
    ])
  })

  test('a release by its moving name', () => {
    const list = 'deb http://a.example/debian stable main\ndeb http://a.example/debian stable-updates main\n'
    expect(shown(select('suite: trixie\n', { 'etc/apt/sources.list': list }))).toEqual([
      'http://a.example/debian trixie main',
      'http://a.example/debian trixie-updates main optional',
    ])
  })

  test('Valid-Until is not checked where apt does not', () => {
    const files = {
      ...osRelease,
      'etc/apt/sources.list': 'deb http://a.example/debian bookworm main\n',
      'etc/apt/apt.conf.d/99snapshot': 'Acquire::Check-Valid-Until "false";\n',
    }
    expect(select('suite: bookworm\n', files)[0]?.checkValidUntil).toBe(false)
  })

  test('keyrings of the host', () => {
    const files = {
      ...osRelease,
      'etc/apt/sources.list': 'deb http://a.example/debian bookworm main\n',
      'usr/share/keyrings/debian-archive-keyring.gpg': '',
      'usr/share/keyrings/third-party.gpg': '',
      'etc/apt/trusted.gpg.d/more.asc': '',
    }
    const { trust } = select('suite: bookworm\n', files)[0]!
    expect(trust.kind === 'files' && trust.paths.map(path => path.replace(/^.*slipway-host-[^/]*/, ''))).toEqual([
      '/usr/share/keyrings/debian-archive-keyring.gpg',
      '/etc/apt/trusted.gpg.d/more.asc',
    ])
  })
})

describe('what comes first', () => {
  const host = { ...osRelease, 'etc/apt/sources.list': 'deb http://host.example/debian bookworm main\n' }

  test('the file, then the variable, then the host', () => {
    const file = 'suite: bookworm\nmirror: http://file.example/debian\n'
    const variable = 'http://one.example/debian/ file:///srv/two'
    expect(shown(select(file, host, variable))).toEqual(['http://file.example/debian bookworm main'])
    expect(shown(select('suite: bookworm\n', host, variable))).toEqual([
      'http://one.example/debian bookworm main',
      'file:///srv/two bookworm main',
    ])
    expect(shown(select('suite: bookworm\n', host))).toEqual(['http://host.example/debian bookworm main'])
  })

  test('keyrings of the file, relative to it', () => {
    const file = 'suite: bookworm\nmirror: http://x/debian\nkeyring: keys/own.gpg\n'
    expect(select(file, host)[0]?.trust).toEqual({ kind: 'files', paths: ['/project/keys/own.gpg'], own: true })
  })

  test('nothing at all is an error', () => {
    expect(() => select('suite: bookworm\n', {})).toThrow('no mirror for bookworm is known')
    expect(() => select('suite: bookworm\n', {}, 'mirror.example')).toThrow('SLIPWAY_DEBIAN_MIRROR is not')
  })
})
