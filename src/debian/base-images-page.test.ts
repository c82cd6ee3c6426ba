import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { pathClasses } from './path-filter.ts'
import { baseKeys, repositoryKeys } from './read-base-file.ts'
import { directoryKeys, fileKeys, groupKeys, linkKeys, userKeys } from './read-system-settings.ts'
import { readBaseFile } from './read-base-file.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/base-images.md', import.meta.url)), 'utf8')
/** Rows of the table of keys: first cell → the rest. */
const rows = new Map(
  [...page.matchAll(/^\| (`[^|]*`) \| (.*) \|$/gm)].flatMap(([, keys = '', text = '']) =>
    [...keys.matchAll(/`([^`]+)`/g)].map(([, key = '']) => [key, text] as const),
  ),
)

describe('docs/base-images.md describes what base files can say', () => {
  test.each(baseKeys.map(key => [key]))('the key %s', key => expect(rows.has(key)).toBe(true))

  test.each([
    ['repositories', repositoryKeys],
    ['groups', groupKeys],
    ['users', userKeys],
    ['directories', directoryKeys],
    ['files', fileKeys],
    ['links', linkKeys],
  ] as const)('the keys inside %s', (key, inner) => {
    for (const name of inner) expect(rows.get(key)).toContain(`\`${name}\``)
  })

  test('every class of paths, and none that does not exist', () => {
    const [, text = ''] = /takes names of classes — ([\s\S]*?) — and patterns/.exec(page) ?? []
    expect(new Set([...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name))).toEqual(new Set(pathClasses))
  })

  test('its example is read', () => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    expect(readBaseFile({ name: 'base.yaml', text })).toMatchObject({ kind: 'minimal', suite: 'bookworm' })
  })
})
