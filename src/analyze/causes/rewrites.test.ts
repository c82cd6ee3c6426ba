import { expect, test } from 'vitest'
import { nameOf } from './rewrites.ts'
import { needlessCauses } from './needless.ts'
import type { FileCopy } from '../trace-layers.ts'

const base = { keyword: '', text: 'slipway base build # bookworm, full: adduser apt base-files and 90 more packages' }
const install = { keyword: 'RUN', text: 'RUN apt-get install -y curl', lines: { first: 4, last: 4 }, stage: 'stage-0' }

test.each([
  [install, 'line 4'],
  [{ keyword: 'RUN', text: 'RUN make' }, '"RUN make"'],
  [{ keyword: '', text: '' }, 'a layer without history'],
  [base, 'slipway base build'],
])('%j is called %s', (instruction, name) => {
  expect(nameOf(instruction)).toBe(name)
})

const update = { keyword: 'RUN', text: 'RUN apt-get update', lines: { first: 3, last: 3 }, stage: 'stage-0' }

test.each([
  [
    'package-lists',
    update,
    'join line 3 with what installs and remove the lists there, or use these cache mounts in both',
  ],
  ['package-lists', install, 'remove the lists at the end of line 4, or keep them outside with cache mounts'],
  ['documentation', base, 'name them under "without" in the base file'],
  ['compilers', base, 'leave their packages out of the base file'],
  ['documentation', install, 'tell dpkg before line 4 not to unpack them'],
] as const)('advice on %s from %j', (kind, instruction, advice) => {
  const copy = { origin: 0, entry: { path: 'usr/share/doc/a', size: 10 } } as FileCopy
  const causes = needlessCauses(new Map([[kind, [copy]]]), {
    instructions: [instruction],
    baseLayers: 0,
    products: () => [],
    visibleBelow: () => new Map(),
  })
  expect(causes.map(({ rewrite, saving }) => [rewrite.text, saving])).toEqual([[advice, 10]])
})
