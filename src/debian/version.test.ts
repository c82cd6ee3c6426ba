import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { compareVersions, satisfiesVersion } from './version.ts'

const signs = (order: number): string => (order < 0 ? '<' : order > 0 ? '>' : '=')

describe('compareVersions', () => {
  test.each([
    ['1.0', '<', '1.1'],
    ['1.9', '<', '1.10'],
    ['1.0~rc1', '<', '1.0'],
    ['1.0~~', '<', '1.0~'],
    ['1.0', '<', '1.0+b1'],
    ['1.0a', '<', '1.0+'],
    ['1:0.1', '>', '9.9'],
    ['0:1.0', '=', '1.0'],
    ['1.0-0', '=', '1.0'],
    ['1.0-1', '>', '1.0'],
    ['1.0-1~bpo1', '<', '1.0-1'],
    ['2.36-9+deb12u14', '>', '2.36-9+deb12u9'],
    ['1.2.3-1-1', '>', '1.2.3-1'],
    ['001', '=', '1'],
    ['a', '>', '1'],
    ['1.', '>', '1'],
    ['9007199254740993', '>', '9007199254740992'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signs(compareVersions(a, b))).toBe(sign)
    expect(signs(compareVersions(b, a))).toBe(sign === '<' ? '>' : sign === '>' ? '<' : '=')
  })

  const dpkg = spawnSync('dpkg', ['--version']).status === 0
  test.skipIf(!dpkg)('says what dpkg says, for 2,000 generated pairs', () => {
    const pairs = generatedPairs(2000)
    const script = [
      'while read -r a b; do',
      'if dpkg --compare-versions "$a" lt "$b"; then echo "<";',
      'elif dpkg --compare-versions "$a" gt "$b"; then echo ">"; else echo =; fi; done',
    ].join('\n')
    const input = pairs.map(([a, b]) => `${a} ${b}\n`).join('')
    const { stdout } = spawnSync('sh', ['-c', script], { input, encoding: 'utf8' })
    const expected = stdout.trim().split('\n')
    expect(expected).toHaveLength(pairs.length)
    const wrong = pairs.filter(([a, b], i) => signs(compareVersions(a, b)) !== expected[i])
    expect(wrong).toEqual([])
    expect(new Set(expected)).toEqual(new Set(['<', '>', '=']))
  })
})

/** Pairs that differ in few places: there the rules decide. */
function generatedPairs(count: number): (readonly [string, string])[] {
  let state = 20_260_711
  const random = (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * limit)
  }
  const pick = (choices: readonly string[]): string => choices[random(choices.length)] ?? ''
  const atoms = ['0', '1', '9', '10', '00', '007', 'a', 'B', 'rc', '.', '+', '~', '~~', '+b1', '+deb12u2', '~bpo12+1']
  const part = (length: number): string => Array.from({ length }, () => pick(atoms)).join('')
  const version = (): string =>
    `${pick(['', '', '0:', '1:', '12:'])}${1 + random(3)}${part(random(4))}${pick(['', `-${1 + random(2)}${part(random(3))}`])}`
  const change = (text: string): string => {
    const at = 2 + random(Math.max(1, text.length - 2))
    return text.slice(0, at) + pick(['', ...atoms]) + text.slice(at + random(2))
  }
  const valid = /^(\d+:)?\d[A-Za-z0-9.+~]*(-[A-Za-z0-9.+~]+)?$/
  const pairs: (readonly [string, string])[] = []
  while (pairs.length < count) {
    const a = version()
    const b = random(3) === 0 ? version() : change(a)
    if (valid.test(a) && valid.test(b)) pairs.push([a, b])
  }
  return pairs
}

test.each([
  ['1', '<<', '2', true],
  ['2', '<<', '2', false],
  ['2', '<=', '2', true],
  ['2.0', '=', '2.0-0', true],
  ['1', '>=', '2', false],
  ['3', '>>', '2', true],
] as const)('satisfiesVersion(%s, %s, %s) is %s', (version, operator, wanted, expected) => {
  expect(satisfiesVersion(version, operator, wanted)).toBe(expected)
})
