import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readExamples } from '../scripts/examples/read-examples.ts'
import { type ImageReport, reportPage, withoutMirror } from '../scripts/examples/report-page.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
const examples = readExamples(join(repository, 'examples'), [])

test.each(examples.map(({ name }) => name))('%s has its report, linked and small', name => {
  const report = join(repository, 'docs/examples', `${name}.md`)
  expect(readFileSync(join(repository, 'docs/examples.md'), 'utf8')).toContain(`(examples/${name}.md)`)
  expect(existsSync(report)).toBe(true)
  expect(statSync(report).size).toBeLessThan(20 * 1024)
  const text = readFileSync(report, 'utf8')
  for (const { tag } of examples.find(example => example.name === name)?.images ?? []) expect(text).toContain(tag)
  expect(text).not.toMatch(/tok_[0-9a-f]{8}|[\w.]+_dists_/)
})

describe('a report', () => {
  const place = { kind: 'file', path: 'root/.curlrc', layer: 1 }
  const totals = { size: 1000, visible: 900, waste: 100, savings: 100, files: 3, layers: 2 }
  const found = { title: 'a token', severity: 'high', masked: '********', place }
  const reports: readonly ImageReport[] = [
    { tag: 'x:one', about: 'careless', totals, findings: [found, found] },
    { tag: 'x:two', about: 'careful', totals: { ...totals, waste: 0 }, findings: [] },
  ]
  const page = reportPage({ name: 'x', about: 'An example' }, reports, new Map([['x:one', 'waste 100B   \n\n']]))

  test('has the figures of each image', () => {
    expect(page).toContain('| x:one | careless | 2 | 1.00 kB | 900 B | 100 B | 100 B | 3 | 2 |')
    expect(page).toContain('| x:two | careful | 2 | 1.00 kB | 900 B | 0 B | 100 B | 3 | 0 |')
  })

  test('shows a command as it was printed', () => {
    expect(page).toContain('```\n$ slipway analyze --top 5 x:one\nwaste 100B\n```')
  })

  test('names a place once', () => {
    expect(page).toContain('| x:one | high | a token | 2 | `/root/.curlrc` | 1 |')
  })
})

test.each([
  [
    '/var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease',
    '/var/lib/apt/lists/…_dists_bookworm_InRelease',
  ],
  ['["mirror.example_debian-security_dists_x_main",1]', '["…_dists_x_main",1]'],
  ['/usr/share/dists_of_things', '/usr/share/dists_of_things'],
])('%s without the mirror', (text, expected) => {
  expect(withoutMirror(text)).toBe(expected)
})
