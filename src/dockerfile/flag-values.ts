import { nearest, type Source } from '#diagnostics'
import { syntaxError } from './syntax-error.ts'
import type { Flag, Word } from './syntax-tree.ts'

export type FlagType = 'boolean' | 'text' | 'list'

/** Flags of one instruction, checked against what it knows. */
export interface FlagValues {
  /** Undefined when not given. */
  readonly boolean: (name: string) => boolean | undefined
  /** Undefined when not given or given as `--name=`. */
  readonly text: (name: string) => Word | undefined
  readonly list: (name: string) => readonly Word[]
}

/**
 * Checks the flags of an instruction. Errors: unknown flag (with the nearest known one), a missing or wrong value, a
 * flag that is given twice and is not a list.
 */
export function checkFlags(
  source: Source,
  {
    instruction,
    flags,
    types,
  }: { instruction: string; flags: readonly Flag[]; types: Readonly<Record<string, FlagType>> },
): FlagValues {
  const seen = new Set<string>()
  const booleans = new Map<string, boolean>()
  const words = new Map<string, Word[]>()
  for (const flag of flags) {
    const type = Object.hasOwn(types, flag.name) ? types[flag.name] : undefined
    if (type === undefined) throw unknownFlag(source, flag, { instruction, known: Object.keys(types) })
    if (type !== 'list' && seen.has(flag.name)) {
      throw syntaxError(source, flag.span, {
        message: `duplicate flag specified: --${flag.name}`,
        hint: 'give it once',
      })
    }
    seen.add(flag.name)
    if (type === 'boolean') booleans.set(flag.name, booleanValue(source, flag))
    else {
      const values = words.get(flag.name) ?? []
      values.push(textValue(source, flag))
      words.set(flag.name, values)
    }
  }
  return {
    boolean: name => booleans.get(name),
    text: name => words.get(name)?.find(word => word.text !== ''),
    list: name => words.get(name) ?? [],
  }
}

function unknownFlag(
  source: Source,
  flag: Flag,
  { instruction, known }: { readonly instruction: string; readonly known: readonly string[] },
): Error {
  const near = nearest(flag.name, known)
  const hint =
    known.length === 0
      ? `${instruction} takes no flags; quote the word if it is an argument`
      : near !== undefined
        ? `did you mean --${near}?`
        : `${instruction} knows ${known.map(name => `--${name}`).join(', ')}`
  return syntaxError(source, flag.span, { message: `unknown flag for ${instruction}: --${flag.name}`, hint })
}

function booleanValue(source: Source, flag: Flag): boolean {
  if (!flag.value) return true
  const text = flag.value.text.toLowerCase()
  if (text === 'true') return true
  if (text === 'false') return false
  throw syntaxError(source, flag.span, {
    message:
      text === ''
        ? `missing a value on flag: --${flag.name}`
        : `expecting true or false for flag --${flag.name}, not ${JSON.stringify(flag.value.text)}`,
    hint: `write --${flag.name} or --${flag.name}=true|false`,
  })
}

function textValue(source: Source, flag: Flag): Word {
  if (flag.value) return flag.value
  throw syntaxError(source, flag.span, {
    message: `missing a value on flag: --${flag.name}`,
    hint: `write --${flag.name}=VALUE`,
  })
}
