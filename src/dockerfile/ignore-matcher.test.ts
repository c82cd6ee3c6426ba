import { describe, expect, test } from 'vitest'
import { compileGlob, hasWildcard, matchGlob } from './glob.ts'
import { excludePatterns, parseIgnoreFile } from './ignore-file.ts'
import { ignoreMatcher } from './ignore-matcher.ts'

const matcher = (text: string) => ignoreMatcher(parseIgnoreFile({ name: '.dockerignore', text }))
const ignored = (text: string, path: string): boolean => matcher(text).decide(path).ignored

describe('13 .dockerignore', () => {
  test('13.2 lines', () => {
    const text = '\u{feff}# c\n a \n\n #d\n!  b/../c/\n/e\n/\n./f//g\r\n'
    expect(
      parseIgnoreFile({ name: 'i', text }).map(({ pattern, exception }) => `${exception ? '!' : ''}${pattern}`),
    ).toEqual(['a', '#d', '!c', 'e', '/', 'f/g'])
  })

  test.each([
    ['!', 'a lone "!" is no pattern'],
    ['a\n[x', 'syntax error in pattern "[x"'],
    ['a[]b', 'syntax error in pattern "a[]b"'],
    ['x\\', 'syntax error in pattern "x\\\\"'],
  ])('13.2 error: %j', (text, message) => {
    expect(() => matcher(text)).toThrow(message)
  })

  test.each([
    ['foo', 'foo', true],
    ['foo', 'sub/foo', false],
    ['foo', 'foobar', false],
    ['foo/', 'foo', true],
    ['*', 'a', true],
    ['*.md', 'a.md', true],
    ['*.md', 'd/a.md', false],
    ['*/*.md', 'd/a.md', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['**', 'a/b/c', true],
    ['**/', 'a/b', true],
    ['**/x', 'x', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'ax', false],
    ['**/*.log', 'a.log', true],
    ['**/*.log', 'a/b/c.log', true],
    ['a/**', 'a/b', true],
    ['a/**', 'a/b/c', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/xb', false],
    ['a/**/**/b', 'a/b', true],
    ['**x', 'a/bx', true],
    ['**x', 'axb', false],
    ['[a-c]', 'b', true],
    ['[^a-c]', 'b', false],
    ['[^a-c]', 'd', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a.c', 'abc', false],
    ['a(b)+', 'a(b)+', true],
    ['.git', '.git', true],
    ['Foo', 'foo', false],
    ['ü*', 'über', true],
    ['?', '\u{1f600}', true],
    ['a*b*c*d*e', 'a1b2c3d4e', true],
    ['a*b*c*d*e', 'a1b2c3d4f', false],
    ['**/a/**/b/**/c', 'x/a/y/b/z/c', true],
    ['**/a/**/b/**/c', 'x/a/y/z/c', false],
  ])('13.3 %s on %s: %s', (pattern, path, expected) => {
    expect(ignored(pattern, path)).toBe(expected)
  })

  test.each([
    ['a', 'a/b/c', true],
    ['a\n!a/b', 'a/b', false],
    ['a\n!a/b', 'a/b/c', false],
    ['a\n!a/b', 'a/c', true],
    ['a\n!a/b\na/b/c', 'a/b/c', true],
    ['!a\na', 'a', true],
    ['*\n!a\n!b/*.c', 'b/x.c', false],
    ['*\n!a\n!b/*.c', 'b/x.h', true],
  ])('13.4, 13.9 %j on %s: %s', (text, path, expected) => {
    expect(ignored(text, path)).toBe(expected)
  })

  test('13.4 which line decided', () => {
    const { decidedBy } = matcher('a\n!a/b\na/b/*\n').decide('a/b/c')
    expect(decidedBy).toMatchObject({ pattern: 'a/b/*', exception: false })
    expect(decidedBy?.place?.span).toEqual({ start: 7, end: 12 })
    expect(matcher('x').decide('a')).toEqual({ ignored: false })
  })

  test.each([
    ['a', 'a', false],
    ['a', 'b', true],
    ['a\n!a/b', 'a', true],
    ['a\n!a/b', 'a/c', false],
    ['a\n!a/b', 'a/b', true],
    ['!a/b\na', 'a', false],
    ['*\n!**/x', 'q', true],
    ['*\n!b/*/x', 'b', true],
    ['*\n!b/*/x', 'c', false],
    ['*\n!b/*/x', 'b/k', true],
    ['*\n!b/*/x', 'b/k/l', false],
  ])('13.4 %j: directory %s must be walked: %s', (text, path, expected) => {
    expect(matcher(text).mustWalk(path)).toBe(expected)
  })

  test.each(['.', '/', './'])('13.5 %s excludes nothing', text => {
    expect(ignored(text, 'a')).toBe(false)
    expect(ignored(text, 'a/b')).toBe(false)
  })

  test('13.5 x/** leaves the directory itself', () => {
    expect(ignored('x/**', 'x')).toBe(false)
    expect(ignored('x/**', 'x/y')).toBe(true)
  })

  test('13.6 **/* with an exception keeps nested files', () => {
    expect(ignored('**/*\n!**/y', 'a/b/y')).toBe(false)
    expect(ignored('**/*\n!**/y', 'a/b/z')).toBe(true)
    expect(matcher('**/*\n!**/y').mustWalk('a/b')).toBe(true)
  })

  test('12.18 --exclude', () => {
    const exclude = ignoreMatcher(excludePatterns(['*.md', '!keep.md']))
    expect(['a.md', 'd/a.md', 'keep.md'].map(path => exclude.decide(path).ignored)).toEqual([true, false, false])
    expect(() => excludePatterns(['[a'])).toThrow('syntax error')
  })

  test('a pattern with many stars takes no exponential time', () => {
    const start = performance.now()
    expect(ignored(`${'*a'.repeat(30)}b`, 'a'.repeat(2000))).toBe(false)
    expect(ignored(`${'**/a/'.repeat(20)}b`, 'a/'.repeat(500))).toBe(false)
    expect(performance.now() - start).toBeLessThan(30_000)
  })
})

describe('12.3 filepath.Match', () => {
  test.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[^e-g]', 'abc', true],
    ['a[^a][^a]b', 'axb', false],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['[\\]a]', ']', true],
    ['[\\-x]', '-', true],
    ['[x\\-]', 'z', false],
    ['[b-a]', 'a', false],
    ['a**b', 'axxb', true],
    ['**/a', 'x/a', true],
    ['**/a', 'x/y/a', false],
    ['\\*', '*', true],
    ['', '', true],
    ['*', '', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(matchGlob(pattern, name)).toBe(expected)
  })

  test.each(['[]a]', '[-]', '[x-]', '[-x]', '[', '[^', '[^bc', 'a[', 'a\\'])('%s is no pattern', pattern => {
    expect(() => compileGlob(pattern)).toThrow(RangeError)
  })

  test.each([
    ['a', false],
    ['a*', true],
    ['a\\*', false],
    ['a\\\\*', true],
    ['[a]', true],
    ['a?', true],
  ])('hasWildcard %s: %s', (text, expected) => {
    expect(hasWildcard(text)).toBe(expected)
  })
})
