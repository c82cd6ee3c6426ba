import { type Place, type Source, type Span, UserError, type Warning } from '#diagnostics'
import { type DockerfileTree, isSecretName, parseDockerfile, type StageInstruction } from '#dockerfile'
import { scanString } from '#secrets'

/**
 * A text with everything hidden that looks like a secret, and, of a Dockerfile, the values of arguments and variables whose
 * name says that they are one; no offset changes.
 */
export function hideSecrets(source: Source): string {
  let masked = hideIn(source.text)
  const tree = treeOf(source)
  if (!tree) return masked
  const { globalArgs, stages } = tree
  for (const instruction of [...globalArgs, ...stages.flatMap(stage => stage.instructions)]) {
    for (const { start, end } of secretValues(instruction)) masked = starred(masked, start, end)
  }
  return masked
}

function hideIn(text: string): string {
  return scanString(text).reduce((masked, { start, end }) => starred(masked, start, end), text)
}

/** Undefined for a text that is no Dockerfile, or a wrong one. */
function treeOf(source: Source): DockerfileTree | undefined {
  try {
    return parseDockerfile(source)
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

/** Where the values of names like `API_TOKEN` stand. */
function secretValues(instruction: StageInstruction): readonly Span[] {
  if (instruction.kind !== 'arg' && instruction.kind !== 'env') return []
  const pairs: readonly {
    readonly name: { readonly text: string }
    readonly value?: { readonly span: Span } | undefined
  }[] = instruction.kind === 'arg' ? instruction.args : instruction.pairs
  return pairs.flatMap(({ name, value }) => (value && isSecretName(name.text) ? [value.span] : []))
}

/** A place whose excerpt shows no secret: what stands beside a mistake may hold one. */
export function hiddenPlace({ source, span }: Place): Place {
  return { source: { ...source, text: hideSecrets(source) }, span }
}

/** Warnings that show no secret, neither in what they say nor in their excerpts. */
export function withHiddenSecrets<T extends Warning>(warnings: readonly T[]): readonly T[] {
  const hidden = new Map<Source, Source>()
  return warnings.map(warning => {
    const message = hideIn(warning.message)
    if (!warning.at) return { ...warning, message }
    const { source, span } = warning.at
    const shown = hidden.get(source) ?? hiddenPlace(warning.at).source
    hidden.set(source, shown)
    return { ...warning, message, at: { source: shown, span } }
  })
}

/** Stars for what is no blank from `start` to `end`. */
export function starred(text: string, start: number, end: number): string {
  return text.slice(0, start) + text.slice(start, end).replace(/\S/g, '*') + text.slice(end)
}
