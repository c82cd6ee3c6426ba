import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { indexPackages } from './package-index.ts'
import { formatGroup, parseRelation, parseRelations } from './relation.ts'
import { solve } from './solve.ts'
import { joinIndexes, type Universe } from './universe.ts'

/** `name version; field: value; …` a line. */
function universeOf(text: string, options: { pins?: Record<string, string> } = {}): Universe {
  const stanzas = text
    .trim()
    .split('\n')
    .map(line => {
      const [head = '', ...fields] = line.split(';').map(part => part.trim())
      const [name, version = '1'] = head.split(' ')
      const architecture = fields.some(field => field.startsWith('Architecture:')) ? [] : ['Architecture: amd64']
      return [`Package: ${name}`, `Version: ${version}`, ...architecture, ...fields].join('\n')
    })
  const pins = new Map(Object.entries(options.pins ?? {}))
  return joinIndexes({
    indexes: [indexPackages(Buffer.from(`${stanzas.join('\n\n')}\n`), 0)],
    architecture: 'amd64',
    pins,
  })
}

function solved(universe: Universe, wanted: string): string {
  const solution = solve(
    universe,
    wanted.split(' ').map(word => ({ relation: parseRelation(word) })),
  )
  return [...solution.values()]
    .map(({ record }) => (record.version === '1' ? record.name : `${record.name}=${record.version}`))
    .sort()
    .join(' ')
}

describe('solve', () => {
  test.each<[string, string, string, string]>([
    ['dependencies and theirs', 'a; Depends: b\nb; Pre-Depends: c\nc\nd', 'a', 'a b c'],
    ['circles', 'a; Depends: b\nb; Depends: a', 'a', 'a b'],
    ['no recommends', 'a; Recommends: b\nb', 'a', 'a'],
    ['the highest version', 'a 1.9\na 1.10\na 1.2', 'a', 'a=1.10'],
    ['the first alternative', 'a; Depends: b | c\nb\nc', 'a', 'a b'],
    ['an alternative that is there', 'a; Depends: b | c\nb\nc', 'a c', 'a c'],
    ['the second alternative where the first is missing', 'a; Depends: b | c\nc', 'a', 'a c'],
    ['the second where the first is too old', 'a; Depends: b (>= 2) | c\nb 1.5\nc', 'a', 'a c'],
    ['a provider of a virtual package', 'a; Depends: v\np; Provides: v', 'a', 'a p'],
    ['a real package before providers', 'a; Depends: v\np; Provides: v\nv', 'a', 'a v'],
    [
      'the provider of higher priority',
      'a; Depends: v\nx; Provides: v; Priority: optional\ny; Provides: v; Priority: standard',
      'a',
      'a y',
    ],
    ['a versioned provide', 'a; Depends: v (>= 2)\np; Provides: v (= 2.1)\nq; Provides: v', 'a', 'a p'],
    ['an unversioned provide satisfies no version', 'a; Depends: v (>= 2) | w\np; Provides: v\nw', 'a', 'a w'],
    ['around a conflict', 'a; Depends: b | c\nb; Conflicts: d\nc\nd', 'a d', 'a c d'],
    ['around a conflict from the other side', 'a; Depends: b | c\nb\nc\nd; Breaks: b', 'a d', 'a c d'],
    ['a conflict with other versions only', 'a; Depends: b; Conflicts: b (<< 1)\nb', 'a', 'a b'],
    ['a conflict with a virtual package', 'a; Depends: b | c; Conflicts: v\nb; Provides: v\nc', 'a', 'a c'],
    ['no conflict with oneself', 'a; Provides: v; Conflicts: v', 'a', 'a'],
    ['back to an earlier choice', 'a; Depends: b | c, d\nb\nc\nd; Conflicts: b', 'a', 'a c d'],
    [
      'back over choices that do not matter',
      'a; Depends: b | c, x | y, d\nb\nc\nd; Conflicts: b\nx\ny',
      'a',
      'a c d x',
    ],
    ['a multi-arch qualifier', 'a; Depends: p:any\np; Multi-Arch: allowed', 'a', 'a p'],
    ['the own architecture as qualifier', 'a; Depends: p:amd64\np', 'a', 'a p'],
    ['packages for all architectures', 'a; Depends: b\nb; Architecture: all', 'a', 'a b'],
    ['not those of others', 'a; Depends: b | c\nb; Architecture: arm64\nc', 'a', 'a c'],
  ])('%s', (_name, universe, wanted, expected) => {
    expect(solved(universeOf(universe), wanted)).toBe(expected)
  })

  test('a pinned version wins over a higher one', () => {
    expect(solved(universeOf('a 1\na 2', { pins: { a: '1' } }), 'a')).toBe('a')
  })

  test('what is installed stays and counts', () => {
    const universe = universeOf('a; Depends: b | c\nb\nc')
    const installed = solve(universe, [{ relation: { name: 'c' } }])
    const solution = solve(universe, [{ relation: { name: 'a' } }], installed)
    expect([...solution.keys()].sort()).toEqual(['a', 'c'])
    expect(solution.get('a')?.reason).toEqual({ kind: 'wanted' })
  })

  test('says why a package is there', () => {
    const solution = solve(universeOf('a; Depends: b (>= 1) | c\nb'), [{ relation: { name: 'a' } }])
    expect(solution.get('b')?.reason).toEqual({ kind: 'dependency', of: 'a', group: 'b (>= 1) | c' })
  })

  test('many choices around an impossible dependency end at once', () => {
    const lines = ['top; Depends: last']
    for (let i = 0; i < 40; i++) lines.push(`c${i}; Depends: x${i} | y${i} | z${i}`, `x${i}`, `y${i}`, `z${i}`)
    lines.push(`last; Depends: ${Array.from({ length: 40 }, (_, i) => `c${i}`).join(', ')}, nothing`)
    const begin = performance.now()
    expect(() => solved(universeOf(lines.join('\n')), 'top')).toThrow('cannot be installed together')
    // To try them all would take for ever.
    expect(performance.now() - begin).toBeLessThan(30_000)
  })

  test.each<[string, string, string, string, string[]]>([
    ['a missing package', 'hello', 'helo', 'there is no package helo', []],
    ['a missing version', 'hello 2', 'hello(=3)', 'no repository has hello (= 3)', []],
    [
      'a missing dependency',
      'a; Depends: b\nb; Depends: c (>= 2)\nc 1.5',
      'a',
      'the packages cannot be installed together',
      ['a needs b', 'b needs c (>= 2), but c is 1.5'],
    ],
    [
      'a conflict of wanted packages',
      'a; Conflicts: b\nb',
      'a b',
      'the packages cannot be installed together',
      ['b and a are both wanted but exclude each other'],
    ],
    [
      'a conflict further down',
      'a; Depends: b\nb\nc; Conflicts: b',
      'a c',
      'the packages cannot be installed together',
      ['b cannot be installed together with c'],
    ],
  ])('%s is explained', (_name, universe, wanted, message, details) => {
    try {
      solved(universeOf(universe), wanted)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
      expect((error as UserError).message).toBe(message)
      expect((error as UserError).details).toEqual(details)
    }
  })

  test('a misspelt name gets a suggestion', () => {
    expect(() => solved(universeOf('hello'), 'helo')).toThrow(expect.objectContaining({ hint: 'did you mean hello?' }))
  })
})

describe('parseRelations', () => {
  test.each([
    ['a', 'a'],
    ['a (>= 1:2.0-1~x), b', 'a (>= 1:2.0-1~x)|b'],
    ['a|b (<<2)|c:any', 'a | b (<< 2) | c:any'],
    ['a (< 2), b (> 1)', 'a (<= 2)|b (>= 1)'],
    [' a ,, b , ', 'a|b'],
    ['a\n , b', 'a|b'],
  ])('%j', (text, expected) => {
    expect(parseRelations(text).map(formatGroup).join('|')).toBe(expected)
  })

  test('what is malformed is never satisfied', () => {
    const universe = universeOf('a; Depends: b (2)\nb 2')
    expect(() => solved(universe, 'a')).toThrow(UserError)
  })
})
