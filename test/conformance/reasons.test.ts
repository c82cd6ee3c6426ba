import { expect, test } from 'vitest'
import type { BuildCase } from './build-case.ts'
import { compareRefusals } from './compare-refusals.ts'
import { ourReason, sameReason, theirReason } from './reasons.ts'

const ours = `error: "/two.md" not found in the build context
 --> case/Dockerfile:4:6
3 | STOPSIGNAL SIGTERM
4 | COPY two.md /d/
  |      ^^^^^^
  hint: the build context has in "/": nothing`

test('the kind of a mistake is in the first line, not in the words of the file', () => {
  expect(ourReason(ours)).toEqual({ kind: 'missing source', line: 4 })
  expect(theirReason('failed to compute cache key: "/two.md" not found: not found')).toEqual({ kind: 'missing source' })
  expect(theirReason('dockerfile parse error line 3: names can not be blank')).toEqual({ kind: 'blank name', line: 3 })
})

test('another kind, another line, and what is in no list are not the same', () => {
  const reason = { kind: 'missing source', line: 4 }
  expect(sameReason(reason, { kind: 'missing source' })).toBe(true)
  expect(sameReason(reason, { kind: 'missing source', line: 3 })).toBe(false)
  expect(sameReason(reason, { kind: 'file over a directory' })).toBe(false)
  expect(sameReason(ourReason('error: no idea'), theirReason('no idea'))).toBe(false)
})

/** Builders that refuse each `bad` line: Slipway the first of them, the engine the last, for the reason that follows. */
const judge =
  (blind: (line: string) => boolean) =>
  async ({ instructions }: BuildCase) => {
    const bad = [...instructions.entries()].filter(([, text]) => text.startsWith('bad'))
    const seen = bad.filter(([, text]) => !blind(text))
    const [first, last] = [bad[0], seen.at(-1)]
    if (!first && !last) return { kind: 'same', lines: [], known: [] } as const
    if (!first || !last) return { kind: 'different', lines: ['only one refuses'], known: [] } as const
    const say = (text: string): string => (text.includes('missing') ? 'not found' : 'circular dependency')
    return {
      kind: 'refused',
      ours: `error: ${say(first[1])}\n --> Dockerfile:${first[0] + 1}:1`,
      theirs: say(last[1]),
    } as const
  }

const caseOf = (...instructions: readonly string[]): BuildCase => ({
  name: 'x',
  instructions: ['FROM scratch', ...instructions],
  objects: [],
  ignore: [],
  buildArgs: {},
  cached: false,
})

test('of several mistakes each builder may tell another one first', async () => {
  const verdict = await compareRefusals(
    caseOf('bad missing', 'fine', 'bad circle'),
    judge(() => false),
  )
  expect(verdict).toMatchObject({ kind: 'refused', reason: 'missing source', line: 2 })
})

test('a mistake that only one of them sees is a difference', async () => {
  const verdict = await compareRefusals(
    caseOf('bad missing', 'fine', 'bad circle'),
    judge(text => text.includes('missing')),
  )
  expect(verdict).toMatchObject({ kind: 'different', lines: ['only one refuses'] })
})
