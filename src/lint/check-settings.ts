import { nearest, type Source, type Span, UserError, type Warning } from '#diagnostics'
import type { Comment, DockerfileTree, MappedText } from '#dockerfile'
import { mapText, placeOf, sliceText, trimText } from '#dockerfile'
import { checkNames, experimentalChecks, isCheckName } from './check-names.ts'
import { ruleNames } from './rules/rule-table.ts'

/** Which checks speak, and whether they end the build (section 2.7 of the language page). */
export interface CheckSettings {
  readonly skip: ReadonlySet<string>
  readonly experimental: ReadonlySet<string>
  readonly error: boolean
}

const none: CheckSettings = { skip: new Set(), experimental: new Set(), error: false }

/** The settings of a file, and of the parts that have their own. */
export interface FileSettings {
  /** What counts for the instruction that holds an offset. */
  readonly at: (offset: number | undefined) => CheckSettings
  /** Names in the settings that no check has. */
  readonly warnings: readonly Warning[]
}

/**
 * Reads the `check` directive, or what is given instead of it, and the `# check=` comments directly above instructions;
 * above FROM, such a comment holds for the stage. Throws a `UserError` at an option that does not exist.
 */
export function fileSettings(tree: DockerfileTree, given: string | undefined): FileSettings {
  const warnings: Warning[] = []
  const whole = wholeFile(tree, given, warnings)
  const partOf = (comments: readonly Comment[], span: Span): readonly Part[] => {
    const own = comments.flatMap(comment => settingOf(tree.source, comment) ?? [])
    if (own.length === 0) return []
    const read = own.map(text => readSettings(tree.source, text, warnings))
    return [{ span, settings: read.reduce(merge, none) }]
  }
  const stages = tree.stages.flatMap(({ from, instructions }) =>
    partOf(from.comments, { start: from.span.start, end: (instructions.at(-1) ?? from).span.end }),
  )
  const instructions = [
    ...tree.globalArgs.flatMap(({ comments, span }) => partOf(comments, span)),
    ...tree.stages.flatMap(stage => stage.instructions.flatMap(({ comments, span }) => partOf(comments, span))),
  ]
  const at = (offset: number | undefined): CheckSettings =>
    [partAt(stages, offset), partAt(instructions, offset)].reduce(merge, whole)
  return { at, warnings }
}

/** A stage or an instruction with settings of its own. */
interface Part {
  readonly span: Span
  readonly settings: CheckSettings
}

/** The settings of the part that holds an offset; parts stand in order and do not overlap. */
function partAt(parts: readonly Part[], offset: number | undefined): CheckSettings {
  if (offset === undefined) return none
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((parts[middle]?.span.start ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  const part = parts[low - 1]
  return part && offset <= part.span.end ? part.settings : none
}

/** Whether a check speaks under these settings. */
export function isActive(name: string, { skip, experimental }: CheckSettings): boolean {
  if (skip.has('all') || skip.has(name)) return false
  return !experimentalChecks.has(name) || experimental.has('all') || experimental.has(name)
}

/** Whether a comment is one that sets checks. */
export function isSettingComment({ text }: Comment): boolean {
  return settingForm.test(text)
}

const settingForm = /^check\s*=\s*(?=\S)/i

function settingOf(source: Source, comment: Comment): MappedText | undefined {
  const form = settingForm.exec(comment.text)
  if (!form) return undefined
  const start = source.text.indexOf(comment.text, comment.span.start) + form[0].length
  return mapText(comment.text.slice(form[0].length), start)
}

function wholeFile(tree: DockerfileTree, given: string | undefined, warnings: Warning[]): CheckSettings {
  if (given !== undefined) {
    const source = { name: '--build-arg BUILDKIT_DOCKERFILE_CHECK', text: given }
    return readSettings(source, mapText(given, 0), warnings)
  }
  const directive = tree.directives.find(({ name }) => name === 'check')
  return directive ? readSettings(tree.source, directive.value, warnings) : none
}

function merge(a: CheckSettings, b: CheckSettings): CheckSettings {
  return {
    skip: a.skip.union(b.skip),
    experimental: a.experimental.union(b.experimental),
    error: a.error || b.error,
  }
}

/** `skip=A,B;error=true;experimental=all`. */
function readSettings(source: Source, text: MappedText, warnings: Warning[]): CheckSettings {
  if (text.text.trim() === '') return none
  return pieces(text, ';')
    .map(option => readOption(source, option, warnings))
    .reduce(merge, none)
}

function readOption(source: Source, option: MappedText, warnings: Warning[]): CheckSettings {
  const equals = option.text.indexOf('=')
  const key = equals === -1 ? option.text : option.text.slice(0, equals).trim()
  const value = trimText(sliceText(option, equals + 1))
  const known = ['skip', 'error', 'experimental']
  if (equals === -1 || !known.includes(key)) {
    const near = nearest(key, known)
    throw new UserError(`invalid check option ${JSON.stringify(option.text)}`, {
      hint:
        near === undefined || near === key
          ? 'write skip=RULE,RULE or error=true or experimental=RULE, with ; between them'
          : `did you mean ${near}?`,
      at: placeOf(source, option),
    })
  }
  if (key === 'error') return { ...none, error: readBoolean(source, value) }
  return { ...none, [key]: readNames(source, value, warnings) }
}

function readBoolean(source: Source, value: MappedText): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value.text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value.text)) return false
  throw new UserError(`invalid value ${JSON.stringify(value.text)} for the check option error`, {
    hint: 'write error=true or error=false',
    at: placeOf(source, value),
  })
}

/** Names as they are written: their case counts. A name that no check has is told, since it does nothing. */
function readNames(source: Source, value: MappedText, warnings: Warning[]): ReadonlySet<string> {
  const names = pieces(value, ',').filter(({ text }) => text !== '')
  for (const name of names) {
    if (name.text === 'all' || isCheckName(name.text) || (ruleNames as readonly string[]).includes(name.text)) continue
    const near = nearest(name.text, [...checkNames, ...ruleNames])
    warnings.push({
      code: 'UnknownCheck',
      message: `there is no check ${JSON.stringify(name.text)}`,
      hint: near === undefined ? 'docs/checks/README.md lists the checks' : `did you mean ${near}?`,
      at: placeOf(source, name),
    })
  }
  return new Set(names.map(({ text }) => text))
}

function pieces(text: MappedText, separator: string): readonly MappedText[] {
  const out: MappedText[] = []
  let at = 0
  for (const piece of text.text.split(separator)) {
    out.push(trimText(sliceText(text, at, at + piece.length)))
    at += piece.length + 1
  }
  return out
}
