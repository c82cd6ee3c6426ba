import { posix } from 'node:path'
import { type Place, type Source, UserError } from '#diagnostics'
import { globTokens } from './glob.ts'
import { lineSpan, physicalLines } from './physical-lines.ts'
import { syntaxError } from './syntax-error.ts'

/** One pattern of a `.dockerignore` file or of `COPY --exclude`. */
export interface IgnorePattern {
  /** Cleaned, without `!`. */
  readonly pattern: string
  /** `!`: brings back what an earlier pattern excludes. */
  readonly exception: boolean
  /** The line in the ignore file. */
  readonly place?: Place
}

/**
 * Reads a `.dockerignore` file: `#` in the first column starts a comment, blanks around a line and a leading slash do
 * not count, paths are cleaned. Throws a `UserError` for a lone `!` and for a pattern with wrong syntax.
 */
export function parseIgnoreFile(source: Source): readonly IgnorePattern[] {
  return physicalLines(source).flatMap(line => {
    const text = line.text.trim()
    if (text === '' || line.text.startsWith('#')) return []
    const exception = text.startsWith('!')
    const cleaned = clean(exception ? text.slice(1).trim() : text)
    const span = lineSpan(line)
    const pattern = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned
    if (pattern === '') {
      throw syntaxError(source, span, { message: 'a lone "!" is no pattern', hint: 'write !path to bring a path back' })
    }
    if (!globTokens(pattern)) {
      throw syntaxError(source, span, {
        message: `syntax error in pattern ${JSON.stringify(pattern)}`,
        hint: 'close [ with ], or put a backslash before it',
      })
    }
    return [{ pattern, exception, place: { source, span } }]
  })
}

/** The patterns of `COPY --exclude`. Throws a `UserError`. */
export function excludePatterns(texts: readonly string[], place?: Place): readonly IgnorePattern[] {
  return texts.flatMap(text => {
    const trimmed = text.trim()
    if (trimmed === '') return []
    const exception = trimmed.startsWith('!')
    const pattern = clean(exception ? trimmed.slice(1) : trimmed)
    if (pattern !== '' && globTokens(pattern)) return [{ pattern, exception, ...(place && { place }) }]
    throw new UserError(`syntax error in --exclude pattern ${JSON.stringify(text)}`, {
      hint: 'close [ with ], or put a backslash before it',
      ...(place && { at: place }),
    })
  })
}

function clean(path: string): string {
  if (path === '') return ''
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}
