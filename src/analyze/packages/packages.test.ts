import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { analyzeImage } from '#analyze'
import { entryOf } from '#layer'
import { digestOf } from '#oci'
import type { LayerTree } from '#tree'

const top = mkdtempSync(join(tmpdir(), 'slipway-packages-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
let trees = 0

/** Files by path: a text, or a number of bytes; `-> TARGET` is a link. */
type Files = Readonly<Record<string, string | number>>

function layer(files: Files): LayerTree {
  const root = join(top, String(trees++))
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path)
    mkdirSync(dirname(at), { recursive: true })
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), at)
    else writeFileSync(at, typeof content === 'number' ? 'x'.repeat(content) : content)
  }
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .sort()
    .flatMap(path => {
      const at = join(root, path)
      return entryOf(path, at, { stats: lstatSync(at), options: { overlay: false } }) ?? []
    })
}

/** `MANAGER NAME VERSION` with bytes and number of files, by name. */
async function packagesOf(...layers: readonly Files[]): Promise<readonly (readonly [string, number, number])[]> {
  const trees = layers.map(layer)
  const { packages } = await analyzeImage({
    name: 'made',
    id: digestOf('made'),
    config: {
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: trees.map((_, i) => digestOf(String(i))) },
      history: [],
    },
    layers: trees.map((entries, i) => ({ diffId: digestOf(String(i)), entries: async () => entries })),
  })
  return packages
    .map(({ manager, name, version, bytes, files }) => [`${manager} ${name} ${version}`, bytes, files] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

const size = (text: string): number => Buffer.byteLength(text)

/** As apk writes it: checksums, dependencies and owners between the lines that count. */
const apkInstalled = `C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
S:383152
I:634880
T:the musl c library (libc) implementation
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1def=
R:libc.musl-x86_64.so.1
F:usr
F:usr/share
M:0:0:1777

C:Q1ghi=
P:busybox
V:1.36.1-r5
F:bin
R:busybox
F:etc
R:securetty
F:
R:rootfile

P:.build-deps
V:20240101.000000
`

const npmLock = JSON.stringify({ lockfileVersion: 3, packages: {} })
const manifest = (name: string, version?: string): string => JSON.stringify({ name, ...(version && { version }) })

const requestsMetadata = `Metadata-Version: 2.1
Name: requests
Version: 2.31.0
Summary: Python HTTP for Humans.
Version-Note: 9.9

Name: not-this-one
`
const requestsRecord = `../../../bin/req-tool,sha256=abc,10
requests-2.31.0.dist-info/METADATA,sha256=abc,120
requests-2.31.0.dist-info/RECORD,,
requests/__init__.py,sha256=abc,30
"requests/odd, name.py",sha256=abc,7
requests/__pycache__/__init__.cpython-311.pyc,,
`

/** What is in the image, and what each package takes of it. */
const table: Readonly<
  Record<string, { files: readonly Files[]; expected: readonly (readonly [string, number, number])[] }>
> = {
  'apk: files below the last F, packages without files': {
    files: [
      {
        'lib/apk/db/installed': apkInstalled,
        'lib/ld-musl-x86_64.so.1': 600,
        'lib/libc.musl-x86_64.so.1': '-> ld-musl-x86_64.so.1',
        'bin/busybox': 800,
        'etc/securetty': 20,
        rootfile: 5,
        'etc/of-nobody': 1000,
      },
    ],
    expected: [
      ['apk .build-deps 20240101.000000', 0, 0],
      ['apk busybox 1.36.1-r5', 825, 3],
      ['apk musl 1.2.4-r2', 600, 1],
    ],
  },
  'apk: the database of merged /usr': {
    files: [{ 'usr/lib/apk/db/installed': 'P:zlib\nV:1.3-r0\nF:usr/lib\nR:libz.so.1\n', 'usr/lib/libz.so.1': 90 }],
    expected: [['apk zlib 1.3-r0', 90, 1]],
  },
  'apk: what a later layer removed counts no more': {
    files: [
      { 'lib/apk/db/installed': 'P:a\nV:1\nF:opt\nR:a\n\nP:b\nV:2\nF:opt\nR:b\n', 'opt/a': 10, 'opt/b': 20 },
      { 'lib/apk/db/installed': 'P:b\nV:2\nF:opt\nR:b\n', 'opt/b': 21 },
    ],
    expected: [['apk b 2', 21, 1]],
  },
  'npm: scopes, packages in packages, files of no package': {
    files: [
      {
        'app/package.json': manifest('app', '1.0.0'),
        'app/node_modules/.package-lock.json': npmLock,
        'app/node_modules/express/package.json': manifest('express', '4.18.2'),
        'app/node_modules/express/index.js': 100,
        'app/node_modules/express/lib/package.json': '{"type":"module"}',
        'app/node_modules/express/node_modules/debug/package.json': manifest('debug', '2.6.9'),
        'app/node_modules/express/node_modules/debug/debug.js': 40,
        'app/node_modules/@babel/core/package.json': manifest('@babel/core', '7.23.0'),
        'app/node_modules/@babel/core/a/b/c.js': 7,
        'app/node_modules/.bin/x': '-> ../express/index.js',
      },
    ],
    expected: [
      ['npm @babel/core 7.23.0', size(manifest('@babel/core', '7.23.0')) + 7, 2],
      ['npm debug 2.6.9', size(manifest('debug', '2.6.9')) + 40, 2],
      ['npm express 4.18.2', size(manifest('express', '4.18.2')) + 100 + size('{"type":"module"}'), 3],
    ],
  },
  'npm: a manifest that is none gives the name of the directory': {
    files: [
      {
        'srv/node_modules/broken/package.json': '{"name": "bro',
        'srv/node_modules/@scope/list/package.json': '[1]',
        'srv/node_modules/nameless/package.json': '{"version": "3.0.0"}',
        'srv/node_modules/numbers/package.json': '{"name": 1, "version": 2}',
      },
    ],
    expected: [
      ['npm @scope/list ', 3, 1],
      ['npm broken ', 13, 1],
      ['npm nameless 3.0.0', 20, 1],
      ['npm numbers ', 25, 1],
    ],
  },
  'python: RECORD with quotes and paths outside, the first header counts': {
    files: [
      {
        'usr/local/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA': requestsMetadata,
        'usr/local/lib/python3.11/site-packages/requests-2.31.0.dist-info/RECORD': requestsRecord,
        'usr/local/lib/python3.11/site-packages/requests/__init__.py': 30,
        'usr/local/lib/python3.11/site-packages/requests/odd, name.py': 7,
        'usr/local/lib/python3.11/site-packages/requests/not-recorded.py': 5000,
        'usr/local/bin/req-tool': 10,
      },
    ],
    expected: [['python requests 2.31.0', size(requestsMetadata) + size(requestsRecord) + 47, 5]],
  },
  'python: without METADATA the directory tells': {
    files: [{ 'opt/site-packages/My_Thing-0.1.dist-info/RECORD': 'my.py,,\n', 'opt/site-packages/my.py': 9 }],
    expected: [['python My_Thing 0.1', 17, 2]],
  },
  'python: egg-info as a directory, by its list of files, by its modules, and as a file': {
    files: [
      {
        'usr/lib/python3/dist-packages/listed-1.0.egg-info/PKG-INFO': 'Name: listed\nVersion: 1.0\n',
        'usr/lib/python3/dist-packages/listed-1.0.egg-info/installed-files.txt': '../listed/a.py\nPKG-INFO\n',
        'usr/lib/python3/dist-packages/listed/a.py': 11,
        'usr/lib/python3/dist-packages/modules.egg-info/PKG-INFO': 'Name: modules\nVersion: 2.0\n',
        'usr/lib/python3/dist-packages/modules.egg-info/top_level.txt': 'mod\nsingle\n',
        'usr/lib/python3/dist-packages/mod/deep/x.py': 13,
        'usr/lib/python3/dist-packages/single.py': 17,
        'usr/lib/python3/dist-packages/plain-3.0.egg-info': 'Metadata-Version: 1.0\nName: plain\nVersion: 3.0\n',
      },
    ],
    expected: [
      ['python listed 1.0', 26 + 24 + 11, 3],
      ['python modules 2.0', 27 + 11 + 13 + 17, 4],
      ['python plain 3.0', 47, 1],
    ],
  },
  'gems: hyphens in names, platforms, versions to come, extensions, default gems': {
    files: [
      {
        'usr/local/bundle/specifications/rack-test-2.1.0.gemspec': 10,
        'usr/local/bundle/gems/rack-test-2.1.0/lib/a.rb': 100,
        'usr/local/bundle/specifications/nokogiri-1.15.0-x86_64-linux.gemspec': 10,
        'usr/local/bundle/gems/nokogiri-1.15.0-x86_64-linux/lib/n.so': 200,
        'usr/local/bundle/specifications/rails-7.1.0.beta1.gemspec': 10,
        'usr/local/bundle/gems/rails-7.1.0.beta1/r.rb': 300,
        'usr/local/bundle/specifications/bcrypt-3.1.19.gemspec': 10,
        'usr/local/bundle/gems/bcrypt-3.1.19/b.rb': 400,
        'usr/local/bundle/extensions/x86_64-linux/3.2.0/bcrypt-3.1.19/b.so': 50,
        'usr/local/bundle/doc/bcrypt-3.1.19/ri/x': 5,
        'usr/local/lib/ruby/gems/3.2.0/specifications/default/json-2.6.3.gemspec': 12,
        'usr/local/lib/ruby/gems/3.2.0/gems/json-2.6.3/j.rb': 3,
        'usr/local/bundle/gems/of-nobody-1.0/x.rb': 999,
      },
    ],
    expected: [
      ['gem bcrypt 3.1.19', 465, 4],
      ['gem json 2.6.3', 15, 2],
      ['gem nokogiri 1.15.0-x86_64-linux', 210, 2],
      ['gem rack-test 2.1.0', 110, 2],
      ['gem rails 7.1.0.beta1', 310, 2],
    ],
  },
  'a file of a system package is not one of a language too': {
    files: [
      {
        'var/lib/dpkg/status':
          'Package: python3-six\nStatus: install ok installed\nArchitecture: all\nVersion: 1.16.0-4\nDescription: six\n  Package: not-this\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n',
        'var/lib/dpkg/info/python3-six.list':
          '/.\n/usr/lib/python3/dist-packages/six.py\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n',
        'usr/lib/python3/dist-packages/six.py': 35,
        'usr/lib/python3/dist-packages/six-1.16.0.egg-info': 'Name: six\nVersion: 1.16.0\n',
      },
    ],
    expected: [['dpkg python3-six 1.16.0-4', 61, 2]],
  },
  'dpkg: lists by architecture, links on the way, and images composed without dpkg': {
    files: [
      {
        'var/lib/dpkg/status': 'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n',
        'var/lib/dpkg/info/libc6:amd64.list': '/lib/libc.so.6\n',
        lib: '-> usr/lib',
        'usr/lib/libc.so.6': 70,
        'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a-0\n',
        'var/lib/dpkg/status.d/tzdata.md5sums': 'd41d8cd98f00b204e9800998ecf8427e  usr/share/zoneinfo/UTC\n',
        'usr/share/zoneinfo/UTC': 8,
      },
    ],
    expected: [
      ['dpkg libc6 2.36-9', 70, 1],
      ['dpkg tzdata 2024a-0', 8, 1],
    ],
  },
}

describe('packages and their bytes', () => {
  test.each(Object.entries(table))('%s', async (_, { files, expected }) => {
    expect(await packagesOf(...files)).toEqual(expected)
  })
})
