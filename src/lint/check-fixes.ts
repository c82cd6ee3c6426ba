import type { Warning } from '#diagnostics'
import type { DockerfileTree, Instruction } from '#dockerfile'
import type { Edit } from './rules/rule-finding.ts'

/** The changes that mend what a build check found, where they mean the same; undefined where a person has to decide. */
export function checkFix({ code, at, hint }: Warning, tree: DockerfileTree): readonly Edit[] | undefined {
  const { text } = tree.source
  if (at?.source !== tree.source) return undefined
  const { span } = at
  const words = text.slice(span.start, span.end)
  switch (code) {
    case 'ConsistentInstructionCasing':
    case 'FromAsCasing': {
      const wanted = /^write (\w+)$/.exec(hint ?? '')?.[1]
      return wanted?.toLowerCase() === words.toLowerCase() ? [{ span, text: wanted }] : undefined
    }
    case 'ExposeProtoCasing':
      return [{ span, text: words.toLowerCase() }]
    case 'NoEmptyContinuation':
      return [{ span: { start: span.start, end: text.indexOf('\n', span.end) + 1 || span.end }, text: '' }]
    case 'RedundantTargetPlatform': {
      const flag = '--platform='
      const start = text.lastIndexOf(flag, span.start)
      return text.slice(start + flag.length, span.start).trim() === ''
        ? [{ span: { start, end: span.end + /^[ \t]*/.exec(text.slice(span.end))![0].length }, text: '' }]
        : undefined
    }
    case 'MaintainerDeprecated': {
      const found = instructionAt(tree, span.start)
      if (found?.kind !== 'maintainer') return undefined
      const name = found.value.text.replace(/^(["'])(.*)\1$/, '$2')
      return [{ span: found.span, text: `LABEL org.opencontainers.image.authors=${JSON.stringify(name)}` }]
    }
    case 'LegacyKeyValueFormat': {
      const found = instructionAt(tree, span.start)
      if (found?.kind !== 'env' && found?.kind !== 'label') return undefined
      const [pair] = found.pairs
      // Quotes and backslashes mean something else in the new form.
      if (!pair || /["'\\\n]/.test(pair.value.text)) return undefined
      const value = /\s/.test(pair.value.text) ? `"${pair.value.text}"` : pair.value.text
      return [{ span: pair.span, text: `${pair.name.text}=${value}` }]
    }
    default:
      return undefined
  }
}

function instructionAt({ globalArgs, stages }: DockerfileTree, offset: number): Instruction | undefined {
  return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])].find(
    ({ span }) => offset >= span.start && offset <= span.end,
  )
}
