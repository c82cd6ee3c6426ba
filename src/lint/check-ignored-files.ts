import { posix } from 'node:path'
import { lineOf, positionOf, UserError } from '#diagnostics'
import { type CopyInstruction, expandWord, ignoreMatcher, type IgnoreMatcher, type Word } from '#dockerfile'
import type { Finding, Subject } from './finding.ts'

/**
 * CopyIgnoredFile: sources of the build context that the ignore file hides. Silent where the ignore file has exceptions,
 * and for sources with variables.
 */
export function checkIgnoredFiles(subject: Subject): readonly Finding[] {
  const patterns = subject.options.ignore ?? []
  if (patterns.length === 0 || patterns.some(({ exception }) => exception)) return []
  const matcher = ignoreMatcher(patterns)
  return subject.stages
    .flatMap(({ instructions }) => instructions)
    .flatMap(instruction =>
      instruction.kind === 'copy' || instruction.kind === 'add' ? checkCopy(subject, instruction, matcher) : [],
    )
}

function checkCopy(subject: Subject, instruction: CopyInstruction, matcher: IgnoreMatcher): readonly Finding[] {
  if (instruction.from) return []
  return instruction.sources.flatMap(source => {
    if (source.kind !== 'path') return []
    const path = pathOf(subject, source.path)
    const { ignored, decidedBy } = path === undefined ? { ignored: false } : matcher.decide(path)
    if (!ignored) return []
    const { place } = decidedBy ?? {}
    const line = place && positionOf(place.source, place.span.start).line
    return [
      {
        code: 'CopyIgnoredFile',
        message: `${source.path.text} is hidden by the ignore file`,
        hint:
          place && line !== undefined
            ? `line ${line} of ${place.source.name} hides it: ${lineOf(place.source, line).trim()}`
            : 'remove the pattern that hides it',
        span: source.path.span,
      },
    ]
  })
}

/** Below the context's root; undefined for what is no path there, or known only when the words are expanded. */
function pathOf({ tree }: Subject, word: Word): string | undefined {
  try {
    const { value, undefinedNames } = expandWord(word, () => undefined, tree)
    if (undefinedNames.length > 0 || word.text.includes('$')) return undefined
    if (/^[a-z]+:\/\/|^[\w.-]+@[A-Za-z0-9.-]+:/.test(value)) return undefined
    const path = posix.join('/', value).slice(1).replace(/\/$/, '')
    return path === '' ? undefined : path
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
