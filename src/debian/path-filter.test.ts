import { describe, expect, test } from 'vitest'
import { createPathFilter, dpkgFilterText, pathClasses, pathRule, rulesOfClass } from './path-filter.ts'

const filter = (...texts: readonly string[]): ReturnType<typeof createPathFilter> =>
  createPathFilter(texts.map(pathRule))

describe('paths are left out as dpkg leaves them out', () => {
  test.each<[string, readonly string[], string, 'directory' | 'symlink' | 'other', boolean]>([
    ['nothing', [], 'usr/bin/a', 'other', false],
    ['a star matches slashes', ['/usr/share/doc/*'], 'usr/share/doc/a/b', 'other', true],
    ['not the directory itself', ['/usr/share/doc/*'], 'usr/share/doc', 'directory', false],
    ['the last match decides', ['/usr/*', '!/usr/bin/*'], 'usr/bin/a', 'other', false],
    ['also the other way', ['!/usr/bin/*', '/usr/*'], 'usr/bin/a', 'other', true],
    ['a directory stays for what is brought back', ['/d/*', '!/d/*/copyright'], 'd/a', 'directory', false],
    ['a link, too', ['/d/*', '!/d/*/copyright'], 'd/a', 'symlink', false],
    ['a file does not', ['/d/*', '!/d/*/copyright'], 'd/a', 'other', true],
    ['a directory elsewhere does not', ['/e/*', '!/d/*/copyright'], 'e/a', 'directory', true],
    ['one character', ['/a?c'], 'abc', 'other', true],
    ['a set', ['/a[b-d]e'], 'ace', 'other', true],
    ['the contrary of a set', ['/a[!b-d]e'], 'ace', 'other', false],
    ['dots are dots', ['/a.c'], 'abc', 'other', false],
    ['an escaped star', ['/a\\*'], 'ab', 'other', false],
    ['a whole path', ['/usr/lib'], 'usr/lib/a', 'other', false],
  ])('%s', (_, rules, path, type, expected) => {
    expect(filter(...rules).excludes(path, type)).toBe(expected)
  })

  test('licences stay when documentation goes', () => {
    const without = createPathFilter(rulesOfClass('doc') ?? [])
    expect(without.excludes('usr/share/doc/libc6/changelog.gz', 'other')).toBe(true)
    expect(without.excludes('usr/share/doc/libc6/copyright', 'other')).toBe(false)
  })

  test('every class has rules, in the form that dpkg reads', () => {
    for (const name of pathClasses) {
      expect(dpkgFilterText(rulesOfClass(name) ?? [])).toMatch(/^(path-(exclude|include) \/\S+\n)+$/)
    }
    expect(rulesOfClass('toString')).toBeUndefined()
  })
})
