import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Span, UserError } from '#diagnostics'
import { expandHeredoc, expandToWords, expandWord } from './expand-word.ts'
import { matchGlob } from './glob.ts'
import { parseIgnoreFile } from './ignore-file.ts'
import { ignoreMatcher } from './ignore-matcher.ts'
import { mapText } from './mapped-text.ts'
import { parseDockerfile } from './parse-dockerfile.ts'

const keywords =
  'FROM RUN COPY ADD ENV ARG LABEL CMD ENTRYPOINT ONBUILD HEALTHCHECK SHELL VOLUME EXPOSE USER WORKDIR scratch AS a /x ' +
  '--from= --mount= --link -- = " \' ` \\ $ ${ } :- :? <<EOF <<-E EOF E [" "] [ ] # NONE é * ? / // %% ! **/'
const blanks = ['", "', '# escape=`', '<< ', ' ', '\t', '\n', '\n', '\n', '\\\n', '`\n', '\r\n']
const oddities = ['\u{feff}', '\u0000', '\u2028', '\u{1f600}', '\ud800']
const fragments = fc.constantFrom(...keywords.split(' '), ...blanks, ...oddities)
const texts = fc.oneof(
  fc.array(fragments, { maxLength: 40 }).map(parts => parts.join('')),
  fc.array(fragments, { maxLength: 40 }).map(parts => `FROM scratch\n${parts.join(' ')}`),
  fc.string({ unit: 'binary', maxLength: 80 }),
)

/** Every span inside the text, every error a `UserError` with a place. */
function checkSpans(value: unknown, length: number): void {
  if (typeof value !== 'object' || value === null) return
  if ('start' in value && 'end' in value && typeof value.start === 'number') {
    const { start, end } = value as Span
    if (start < 0 || end < start || end > length) throw new Error(`span ${start} to ${end} of ${length}`)
    return
  }
  for (const [key, child] of Object.entries(value)) if (key !== 'source') checkSpans(child, length)
}

/** Nothing but a `UserError` whose place is inside the text. */
function tolerate(length: number, run: () => unknown): void {
  try {
    checkSpans(run(), length)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    if (error.at) checkSpans(error.at.span, length)
    expect(error.hint).not.toBe('')
  }
}

const runs = { numRuns: 4000 }

test('any text parses or gives a UserError, with spans inside the text', () => {
  fc.assert(
    fc.property(texts, text => {
      tolerate(text.length, () => parseDockerfile({ name: 'Dockerfile', text }))
    }),
    runs,
  )
})

test('any word expands or gives a UserError', () => {
  const lookup = (name: string): string | undefined => (name === 'a' ? 'one two*' : name === 'E' ? '' : undefined)
  fc.assert(
    fc.property(texts, fc.constantFrom('\\' as const, '`' as const), (text, escape) => {
      const options = { source: { name: 'w', text }, escape }
      const word = mapText(text, 0)
      tolerate(text.length, () => expandWord(word, lookup, options))
      tolerate(text.length, () => expandToWords(word, lookup, options))
      tolerate(text.length, () => expandHeredoc(word, lookup, options.source))
    }),
    runs,
  )
})

test('any ignore file matches any path', () => {
  const paths = fc.array(fc.constantFrom('a', 'b', 'E', 'x', '*', 'é', '\u{1f600}'), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(texts, paths, (text, path) => {
      tolerate(text.length, () => {
        const matcher = ignoreMatcher(parseIgnoreFile({ name: 'i', text }))
        matcher.mustWalk(path.join('/'))
        return matcher.decide(path.join('/')).decidedBy?.place?.span
      })
    }),
    runs,
  )
})

const patternParts = fc.constantFrom('*', '**', '/', 'a', 'b', '?', '[ab]', '[^a]', 'ab')
const pathParts = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 5 })

test('13.3 agrees with the regular expression that moby makes of a pattern', () => {
  fc.assert(
    fc.property(fc.array(patternParts, { minLength: 1, maxLength: 7 }), pathParts, (parts, path) => {
      const [ignore] = parseIgnoreFile({ name: 'i', text: parts.join('') })
      if (!ignore) return
      const name = path.join('/')
      const expected = path.some((_, i) => mobyMatches(ignore.pattern, path.slice(0, i + 1).join('/')))
      expect(ignoreMatcher([ignore]).decide(name).ignored, `${ignore.pattern} on ${name}`).toBe(expected)
    }),
    runs,
  )
})

/** patternmatcher's rules, word for word, for patterns without escapes. */
function mobyMatches(pattern: string, path: string): boolean {
  let expression = ''
  let wild = false
  let suffix = false
  for (let i = 0; i < pattern.length; i++) {
    const leading = i === 0
    if (pattern.startsWith('**', i)) {
      i++
      if (pattern[i + 1] === '/') i++
      if (i + 1 >= pattern.length) {
        wild ||= suffix
        expression += '.*'
      } else {
        expression += '(.*/)?'
        wild = true
      }
      if (leading) {
        suffix = true
        wild = false
      }
    } else if (pattern[i] === '*') {
      expression += '[^/]*'
      wild = true
    } else if (pattern[i] === '?') {
      expression += '[^/]'
      wild = true
    } else {
      if (pattern[i] === '[') wild = true
      expression += pattern[i]
    }
  }
  if (suffix && !wild) {
    const rest = pattern.slice(2)
    return path.endsWith(rest) || (rest.startsWith('/') && path === rest.slice(1))
  }
  return new RegExp(`^${expression}$`).test(path)
}

test('12.3 a glob agrees with a regular expression', () => {
  fc.assert(
    fc.property(fc.array(patternParts, { maxLength: 7 }), pathParts, (parts, path) => {
      const name = path.join('/')
      const expression = parts.join('').replace(/\*+/g, '[^/]*').replaceAll('?', '[^/]')
      expect(matchGlob(parts.join(''), name), `${parts.join('')} on ${name}`).toBe(
        new RegExp(`^${expression}$`).test(name),
      )
    }),
    runs,
  )
})
