import { nearest, type Source, type WarningSink } from '#diagnostics'
import { type EscapeCharacter, expandWord, type Expansion, type MappedText } from '#dockerfile'

/** Names and values in order of their last assignment. */
export type Scope = ReadonlyMap<string, string>

/** Sets a name; a new assignment moves it to the end, as in the environment of a process. */
export function assign(scope: Map<string, string>, name: string, value: string): void {
  scope.delete(name)
  scope.set(name, value)
}

/** `NAME=value` → both; a text without `=` is a name with an empty value. */
export function splitAssignment(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** Where a word stands and how it is to be read. */
export interface WordContext {
  readonly source: Source
  readonly escape: EscapeCharacter
}

/** What undefined names are reported with. */
export interface UndefinedReport {
  readonly code: 'UndefinedVar' | 'UndefinedArgInFrom'
  readonly warn: WarningSink
  readonly source: Source
  /** Declared without a value: nothing to warn about. */
  readonly declared: (name: string) => boolean
  readonly candidates: () => Iterable<string>
}

/** Warns about every name that an expansion read although nothing declares it. */
export function reportUndefined({ undefinedNames }: Pick<Expansion, 'undefinedNames'>, report: UndefinedReport): void {
  for (const { name, span } of undefinedNames) {
    if (report.declared(name)) continue
    const near = nearest(name, report.candidates())
    const inFrom = report.code === 'UndefinedArgInFrom'
    const hint =
      near === undefined
        ? inFrom
          ? 'declare it with ARG before the first FROM'
          : 'declare it with ARG or ENV'
        : `did you mean $${near}?`
    report.warn({
      code: report.code,
      message: inFrom ? `FROM argument $${name} is not declared` : `use of undefined variable $${name}`,
      hint,
      at: { source: report.source, span },
    })
  }
}

/** Expands a word in a scope. */
export function expandIn(scope: Scope, word: MappedText, context: WordContext): Expansion {
  return expandWord(word, name => scope.get(name), context)
}
