import { describe, expect, test } from 'vitest'
import { positionOf, UserError } from '#diagnostics'
import { readBaseFile } from './read-base-file.ts'

const read = (text: string): ReturnType<typeof readBaseFile> => readBaseFile({ name: 'base.yaml', text })

describe('readBaseFile', () => {
  test('the shortest file', () => {
    expect(read('suite: bookworm\n')).toEqual({
      suite: 'bookworm',
      kind: 'full',
      architectures: [],
      variant: 'minbase',
      components: ['main'],
      mirrors: [],
      repositories: [],
      keyrings: [],
      trusted: false,
      packages: [],
      omit: [],
      without: [],
      layers: 1,
      system: { groups: [], users: [], directories: [], files: [], links: [], alternatives: [], certificates: [] },
      config: { env: [], labels: {} },
    })
  })

  test('everything', () => {
    const spec = read(`
suite: trixie
architecture: arm64
variant: apt
components: [main, contrib]
mirror: https://mirror.example/debian/
keyring: [keys/a.gpg, b.asc]
repositories:
  - uri: file:///srv/own
    suites: [own, own-next]
    components: main
    keyring: own.gpg
    trusted: true
    check-valid-until: false
packages:
  - gcc
  - hello=2.10-3
env: { LANG: C.UTF-8, N: 1.10, EMPTY: "" }
user: 1000:1000
workdir: /srv
entrypoint: [/bin/a, "b c"]
cmd: []
labels:
  org.example.title: "x: y"
`)
    expect(spec).toMatchObject({
      suite: 'trixie',
      architectures: [{ name: 'arm64' }],
      variant: 'apt',
      components: ['main', 'contrib'],
      mirrors: ['https://mirror.example/debian'],
      keyrings: ['keys/a.gpg', 'b.asc'],
      repositories: [
        {
          uri: 'file:///srv/own',
          suites: ['own', 'own-next'],
          components: ['main'],
          keyrings: ['own.gpg'],
          trusted: true,
          checkValidUntil: false,
        },
      ],
      config: {
        env: ['LANG=C.UTF-8', 'N=1.10', 'EMPTY='],
        user: '1000:1000',
        workdir: '/srv',
        entrypoint: ['/bin/a', 'b c'],
        cmd: [],
        labels: { 'org.example.title': 'x: y' },
      },
    })
    expect(spec.packages.map(item => item.relation)).toEqual([
      { name: 'gcc' },
      { name: 'hello', operator: '=', version: '2.10-3' },
    ])
  })

  test.each<[string, string, RegExp, RegExp, string]>([
    ['an unknown key', 'suite: a\npackage: [x]\n', /unknown key "package"/, /did you mean packages\?/, '2:1 package'],
    ['another', 'suite: a\nfoobar: 1\n', /unknown key "foobar"/, /known are suite, /, '2:1 foobar'],
    ['one inside', 'suite: a\nrepositories: [{uri: "http://x", suit: y}]\n', /"suit"/, /suites/, '2:34 suit'],
    ['no suite', 'packages: [x]\n', /which suite/, /suite: bookworm/, '1:1 packages: [x]'],
    ['an empty file', '', /"name: value" lines/, /./, '1:1 '],
    ['a list instead', '- a\n', /"name: value" lines/, /./, '1:1 - a'],
    ['broken YAML', 'suite: [a\n', /invalid YAML/, /./, '2:1 '],
    ['a key twice', 'suite: a\nsuite: b\n', /invalid YAML.*unique/, /./, '2:1 suite'],
    ['a suite of two words', 'suite: a b\n', /"a b" is not a suite/, /bookworm/, '1:8 a b'],
    ['a suite that climbs', 'suite: a/../../b\n', /is not a suite/, /./, '1:8 a/../../b'],
    ['a text for a list', 'suite: a\npackages: gcc\n', /a list is needed/, /./, '2:11 gcc'],
    ['a package with capitals', 'suite: a\npackages: [GCC]\n', /"GCC" is not a package/, /lower case/, '2:12 GCC'],
    ['an empty package', 'suite: a\npackages:\n  -\n', /a text is needed/, /./, '3:4 '],
    ['a variant', 'suite: a\nvariant: tiny\n', /unknown variant/, /minbase, apt or essential/, '2:10 tiny'],
    ['a mirror', 'suite: a\nmirror: ftp://x\n', /not the address/, /http/, '2:9 ftp://x'],
    ['a relative directory', 'suite: a\nworkdir: srv\n', /absolute/, /write \/srv/, '2:10 srv'],
    ['a user', 'suite: a\nuser: "a b"\n', /is not a user/, /./, '2:7 "a b"'],
    [
      'a text for true',
      'suite: a\nrepositories: [{uri: "http://x", suites: a, trusted: "yes"}]\n',
      /true or false/,
      /./,
      '2:54 "yes"',
    ],
    [
      'a repository without address',
      'suite: a\nrepositories:\n  - suites: [a]\n',
      /needs an address/,
      /uri/,
      '3:5 suites: [a]',
    ],
    ['a variable', 'suite: a\nenv: {"A=B": c}\n', /cannot be the name/, /NAME: value/, '2:7 "A=B"'],
    ['an alias', 'suite: &x a\ncomponents: *x\n', /aliases/, /./, '2:13 *x'],
  ])('%s is refused with its place', (_name, text, message, hint, place) => {
    try {
      read(text)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
      const { at, ...rest } = error as UserError
      expect((error as UserError).message).toMatch(message)
      expect(rest.hint).toMatch(hint)
      const { line, column } = positionOf(at!.source, at!.span.start)
      expect(`${line}:${column} ${text.slice(at!.span.start, at!.span.end).trimEnd()}`).toBe(place)
    }
  })
})
