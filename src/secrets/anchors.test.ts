import { expect, test } from 'vitest'
import { anchorSearch } from './anchors.ts'

/** Looks at every position for every literal. */
function slowly(text: string, literals: readonly string[], exact: ReadonlySet<string>): string[] {
  const hits: string[] = []
  for (let at = 0; at < text.length; at++) {
    for (const [literal, wanted] of literals.entries()) {
      const there = text.slice(at, at + wanted.length)
      if (there === wanted || (!exact.has(wanted) && there.toLowerCase() === wanted.toLowerCase()))
        hits.push(`${literal}@${at}`)
    }
  }
  return hits.toSorted()
}

function quickly(text: string, literals: readonly string[], exact: ReadonlySet<string>): string[] {
  const hits: string[] = []
  let before = -1
  // At every place in memory: four bytes are looked at together.
  const shift = text.length % 5
  const bytes = Buffer.from(new ArrayBuffer(text.length + 8), shift, text.length)
  bytes.write(text, 'latin1')
  anchorSearch(literals, exact).search(bytes, (literal, at) => {
    expect(at).toBeGreaterThanOrEqual(before)
    before = at
    hits.push(`${literal}@${at}`)
  })
  return hits.toSorted()
}

test('every literal is found, at even and odd offsets, at both ends, in either case, in order', () => {
  const literals = ['pass', 'AKIA', 'token', 'ghp_', 'apikey', 'pass=']
  const exact = new Set(['AKIA', 'ghp_'])
  const pieces = [
    'pass',
    'PASS',
    'Pass=',
    'AKIA',
    'akia',
    'ToKeN',
    'ghp_',
    'GHP_',
    'apiKey',
    'a',
    'p',
    ' ',
    'ss',
    '=',
    'é',
  ]
  let state = 7
  for (let round = 0; round < 600; round++) {
    let text = ''
    for (let i = 0; i < round % 13; i++) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      text += pieces[(state >> 8) % pieces.length]
    }
    expect(quickly(text, literals, exact), text).toEqual(slowly(text, literals, exact))
  }
})

test('a literal of three characters is refused', () => {
  expect(() => anchorSearch(['abc'], new Set())).toThrow('less than four')
})
