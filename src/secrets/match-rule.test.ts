import { expect, test } from 'vitest'
import { ruleMatcher } from './match-rule.ts'
import type { Rule } from './rule.ts'
import { scanBytes } from './scan-text.ts'

/** A rule, and how many bytes its pattern went over so far. */
function counted(pattern: RegExp, reach?: Rule['reach']): { readonly rule: Rule; readonly looked: () => number } {
  let looked = 0
  const counting = new (class extends RegExp {
    override exec(text: string): RegExpExecArray | null {
      const from = this.lastIndex
      const match = super.exec(text)
      looked += (match ? this.lastIndex : text.length) - from
      return match
    }
  })(pattern)
  const rule: Rule = {
    id: 'a',
    title: 'a',
    severity: 'low',
    anchors: ['AAAA'],
    fixed: true,
    pattern: counting,
    judge: ({ value }) => value.endsWith('9'),
    ...(reach && { reach }),
  }
  return { rule, looked: () => looked }
}

test.each<[string, string, Rule['reach']]>([
  ['one long line', 'A'.repeat(200_000), undefined],
  ['short lines', 'AAAAAAAAAAAAAAA AAAA\n'.repeat(10_000), undefined],
  ['a rule that looks far', 'AAAA\n'.repeat(40_000), { before: 60, after: 24_000 }],
  ['matches that are refused', 'AAAA.x '.repeat(30_000), undefined],
])('%s: an anchor at every byte costs a few passes', (_, text, reach) => {
  const { rule, looked } = counted(/AAAA\.(?<value>\w+)/dg, reach)
  const bytes = Buffer.from(text)
  const matcher = ruleMatcher(rule, { bytes, path: 'a' })
  let found = 0
  for (let at = 0; at + 4 <= bytes.length; at++) {
    if (text.startsWith('AAAA', at) && matcher({ start: at, end: at + 4 })) found++
  }
  expect(found).toBe(0)
  expect(looked()).toBeGreaterThan(bytes.length / 2)
  expect(looked()).toBeLessThan(5 * bytes.length)
})

test('each match of a long line is given once, at its anchor', () => {
  const unit = `AAAA.x AAAA.y9 ${'-'.repeat(900)}`
  const bytes = Buffer.from(unit.repeat(50))
  const matcher = ruleMatcher(counted(/AAAA\.(?<value>\w+)/dg).rule, { bytes, path: 'a' })
  const starts: number[] = []
  for (let at = bytes.indexOf('AAAA'); at !== -1; at = bytes.indexOf('AAAA', at + 1)) {
    const found = matcher({ start: at, end: at + 4 })
    if (found) starts.push(found.start)
  }
  expect(starts).toEqual(Array.from({ length: 50 }, (_, i) => i * unit.length + 12))
})

test('a key behind a header without a body is found', () => {
  const body = Buffer.from([0x30, 0x78, ...Array.from({ length: 120 }, (_, i) => i)]).toString('base64')
  const [begin, end] = ['BEGIN', 'END'].map(word => `-----${word} ${'PRIVATE'} KEY-----`) as [string, string]
  const text = `headers = ["${begin}", "-----BEGIN RSA ${'PRIVATE'} KEY-----"]\n${begin}\n${body}\n${end}\n`
  expect(scanBytes({ bytes: Buffer.from(text), path: 'srv/a.py' })).toMatchObject([{ rule: 'private-key', line: 2 }])
})

test('many secrets in one line have their columns', () => {
  const token = `gh${'p_'}${'aB3dE5gH7jK9mN1pQ2rS'}${'4tU6vW8xY0zA2cD4'}`
  const hits = scanBytes({ bytes: Buffer.from(`a\n${`${token} `.repeat(2000)}\n${token}`), path: 'srv/a.txt' })
  expect(hits).toHaveLength(2001)
  expect(hits.map(({ line, column }) => [line, column]).slice(1998)).toEqual([
    [2, 1 + 1998 * (token.length + 1)],
    [2, 1 + 1999 * (token.length + 1)],
    [3, 1],
  ])
})
