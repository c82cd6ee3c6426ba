import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { expandHeredoc, expandToWords, expandWord } from './expand-word.ts'
import { mapText } from './mapped-text.ts'

const values: Readonly<Record<string, string>> = {
  a: 'bar',
  empty: '',
  path: 'one/two/three.tar.gz',
  stars: 'a*b?c',
  list: '80 81/udp',
  é1: 'unicode',
}
const lookup = (name: string): string | undefined => (Object.hasOwn(values, name) ? values[name] : undefined)

const expand = (text: string, escape: '\\' | '`' = '\\') =>
  expandWord(mapText(text, 0), lookup, { source: { name: 'w', text }, escape })

describe('6 word expansion', () => {
  test.each([
    ['$a', 'bar'],
    ['${a}', 'bar'],
    ['x$a-y', 'xbar-y'],
    ['$ab', ''],
    ['${é1}$é1', 'unicodeunicode'],
    ['$1x$12$@$*$#$?$-$$$!', 'x'],
    ['$', '$'],
    ['$.', '$.'],
    ['a$ b', 'a$ b'],
    ['${unset}', ''],
  ])('6.1 %s', (text, value) => {
    expect(expand(text).value).toBe(value)
  })

  test.each([
    ['${a:-x}', 'bar'],
    ['${empty:-x}', 'x'],
    ['${empty-x}', ''],
    ['${unset-x}', 'x'],
    ['${unset:-x}', 'x'],
    ['${a:+x}', 'x'],
    ['${empty:+x}', ''],
    ['${empty+x}', 'x'],
    ['${unset+x}', ''],
    ['${a:?no}', 'bar'],
    ['${empty?no}', ''],
    ['${path#*/}', 'two/three.tar.gz'],
    ['${path##*/}', 'three.tar.gz'],
    ['${path%.*}', 'one/two/three.tar'],
    ['${path%%.*}', 'one/two/three'],
    ['${path#two}', 'one/two/three.tar.gz'],
    ['${path%%z}', 'one/two/three.tar.g'],
    ['${path/e/E}', 'onE/two/three.tar.gz'],
    ['${path//e/E}', 'onE/two/thrEE.tar.gz'],
    ['${path//t*e/-}', 'one/-.tar.gz'],
    ['${path/\\//|}', 'one|two/three.tar.gz'],
    ['${path//o?e/}', '/two/three.tar.gz'],
    ['${stars/\\*/-}', 'a-b?c'],
    ['${stars/\\?/-}', 'a*b-c'],
    ['${stars#a*}', '*b?c'],
    ['${stars##a*}', ''],
    ['${a//a/\\}}', 'b}r'],
    ['${a/x/y}', 'bar'],
    ['${a//?/.}', '...'],
    ['${a/[ab]/x}', 'bar'],
  ])('6.2, 6.3 %s', (text, value) => {
    expect(expand(text).value).toBe(value)
  })

  test.each([
    ['${unset:-${a}-$a}', 'bar-bar'],
    ['${unset:-${none:-${a:+"x y"}}}', 'x y'],
    ['${path%${unset:-.gz}}', 'one/two/three.tar'],
    ['${a/${unset:-b}/$empty}', 'ar'],
  ])('6.3 nested: %s', (text, value) => {
    expect(expand(text).value).toBe(value)
  })

  test.each([
    ['${}', 'bad substitution'],
    ['${:-x}', 'bad substitution'],
    ['${{a}', 'bad substitution'],
    ['${a', "missing '}'"],
    ['${', "missing '}'"],
    ['${a:-b', 'missing } in ${…}'],
    ['${a/b', 'missing / in ${…}'],
    ['${a/b/c', 'missing } in ${…}'],
    ['${a^^}', 'unsupported modifier (^) in substitution'],
    ['${a:#b}', 'unsupported modifier (:#) in substitution'],
    ['${a:%b}', 'unsupported modifier (:%) in substitution'],
    ['${a:/b/c}', 'unsupported modifier (:/) in substitution'],
    ['${a#\\x}', 'invalid escape in pattern "\\\\x"'],
    ['${unset?}', 'unset: is not allowed to be unset'],
    ['${unset:?give it}', 'unset: give it'],
    ['${empty:?}', 'empty: is not allowed to be empty'],
    ["'x", 'a single quote is not closed'],
    ['a "x', 'a double quote is not closed'],
  ])('6.2 to 6.6 error: %s', (text, message) => {
    expect(() => expand(text)).toThrow(new UserError(message, { hint: '' }).message)
    expect(() => expand(text)).toThrow(UserError)
  })

  test.each([
    [`'$a\\n'`, '$a\\n'],
    [`"$a 'x'"`, `bar 'x'`],
    ['"a\\nb"', 'a\\nb'],
    ['"\\"\\$a\\\\"', '"$a\\'],
    ['\\$a\\ b\\"', '$a b"'],
    ['a\\', 'a'],
    [`x'y'"z"`, 'xyz'],
    ['""', ''],
  ])('6.6 quotes: %s', (text, value) => {
    expect(expand(text).value).toBe(value)
  })

  test('2.5 the escape directive holds in words', () => {
    expect(expand('x`$a\\n', '`').value).toBe('x$a\\n')
    expect(expand('"`""', '`').value).toBe('"')
  })

  test('6.8 undefined names are reported with their place, those with a default are not', () => {
    const text = '$a$x ${y:-1} ${z%k}'
    const { undefinedNames, used } = expand(text)
    expect(undefinedNames.map(({ name, span }) => [name, text.slice(span.start, span.end)])).toEqual([
      ['x', '$x'],
      ['z', '${z%k}'],
    ])
    expect(used).toEqual(['a'])
  })

  test('6.9 EXPOSE splits after expansion', () => {
    const options = { source: { name: 'w', text: '' }, escape: '\\' as const }
    expect(expandToWords(mapText('$list', 0), lookup, options).words).toEqual(['80', '81/udp'])
    expect(expandToWords(mapText('"$list"', 0), lookup, options).words).toEqual(['80 81/udp'])
    expect(expandToWords(mapText(' $empty ', 0), lookup, options).words).toEqual([])
  })

  test('5.6 a heredoc body: quotes are text, only backslash escapes', () => {
    const source = { name: 'w', text: '' }
    expect(expandHeredoc(mapText(`"$a" '\${a}' \\$a \``, 0), lookup, source).value).toBe(`"bar" 'bar' $a \``)
  })

  test('sizes are bounded', () => {
    const long = 'x'.repeat(1 << 20)
    const options = { source: { name: 'w', text: '' }, escape: '\\' as const }
    const get = (): string => long
    expect(() => expandWord(mapText('$a$a', 0), get, options)).toThrow('longer than 1 MiB')
    expect(() => expandWord(mapText('${a//x/$a}', 0), get, options)).toThrow('longer than 1 MiB')
    expect(() => expandWord(mapText('${a##*}'.repeat(1000), 0), get, options)).toThrow('too long')
    expect(() => expandWord(mapText('${a:-'.repeat(10_000), 0), () => undefined, options)).toThrow('nested too deeply')
  })
})
