import { type Place, UserError } from '#diagnostics'
import type { DockerfileTree } from '#dockerfile'
import type { GlobalScope } from './global-scope.ts'

export const epochName = 'SOURCE_DATE_EPOCH'

/** The last second of the year 9999: later times have no RFC 3339 form. */
const latest = 253_402_300_799

/**
 * Seconds since 1970 after which nothing in the image may be dated (section 15.4 of the language page): the build
 * argument, or the default of a global ARG. Throws a `UserError` for anything but a number.
 */
export function sourceDateEpoch(
  tree: DockerfileTree,
  globals: GlobalScope,
  buildArgs: ReadonlyMap<string, string>,
): number | undefined {
  const text = buildArgs.get(epochName) ?? globals.values.get(epochName) ?? ''
  if (text === '') return undefined
  const epoch = Number(text)
  if (/^\d+$/.test(text) && epoch <= latest) return epoch
  throw new UserError(`${epochName} is ${JSON.stringify(text)}, not a number of seconds since 1970`, {
    hint: `write for example --build-arg ${epochName}="$(git log -1 --pretty=%ct)"`,
    ...(buildArgs.has(epochName) ? {} : placeOfDefault(tree)),
  })
}

function placeOfDefault({ source, globalArgs }: DockerfileTree): { readonly at?: Place } {
  const arg = globalArgs.flatMap(({ args }) => args).findLast(({ name }) => name.text === epochName)
  return arg ? { at: { source, span: arg.span } } : {}
}
