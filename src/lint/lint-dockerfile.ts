import type { Warning } from '#diagnostics'
import type { DockerfileTree } from '#dockerfile'
import { checkCasing } from './check-casing.ts'
import { checkCommands } from './check-commands.ts'
import { checkDescriptions } from './check-descriptions.ts'
import { checkFromLines } from './check-from-lines.ts'
import { checkIgnoredFiles } from './check-ignored-files.ts'
import { checkInstructions } from './check-instructions.ts'
import { checkPage, isCheckName } from './check-names.ts'
import { fileSettings, isActive } from './check-settings.ts'
import type { Finding, LintOptions, Subject } from './finding.ts'

/**
 * What the build checks say about a file, in its order: what they find in the tree, and what planning has found before
 * (`options.found`), less what the settings turn off; `fails` where they ask for an error. Warnings without a place come
 * last. Throws a `UserError` for wrong settings.
 */
export function lintDockerfile(tree: DockerfileTree, options: LintOptions = {}): readonly Warning[] {
  const { at, warnings } = fileSettings(tree, options.setting)
  const found = options.found ?? []
  const subject: Subject = {
    tree,
    options,
    stages: tree.stages.filter(({ position }) => options.stages?.has(position) ?? true),
  }
  const own = findings(subject).map(finding => ({
    owner: finding.owner ?? finding.span.start,
    warning: warningOf(finding, subject),
  }))
  const known = new Set(found.map(keyOf))
  const all = [
    ...found.map(warning => ({ owner: offsetIn(tree, warning), warning })),
    ...own.filter(({ warning }) => !known.has(keyOf(warning))),
  ]
  const judged = all.flatMap(({ owner, warning }) => {
    if (!isCheckName(warning.code)) return [warning]
    const settings = at(owner)
    if (!isActive(warning.code, settings)) return []
    return [{ ...warning, url: checkPage(warning.code), ...(settings.error && { fails: true }) }]
  })
  const unique = new Map([...warnings, ...judged].map(warning => [keyOf(warning), warning]))
  return [...unique.values()].toSorted((a, b) => order(tree, a) - order(tree, b))
}

function findings(subject: Subject): readonly Finding[] {
  return [
    ...checkFromLines(subject),
    ...checkCasing(subject),
    ...checkInstructions(subject),
    ...checkCommands(subject),
    ...checkIgnoredFiles(subject),
    ...checkDescriptions(subject),
  ]
}

function warningOf({ code, message, hint, span }: Finding, { tree }: Subject): Warning {
  return { code, message, hint, at: { source: tree.source, span } }
}

/** One check speaks once about one place, also when a stage is planned for several others. */
function keyOf({ code, message, at }: Warning): string {
  return at ? `${code} ${at.source.name} ${at.span.start}` : `${code} ${message}`
}

function offsetIn({ source }: DockerfileTree, { at }: Warning): number | undefined {
  return at?.source === source ? at.span.start : undefined
}

function order(tree: DockerfileTree, warning: Warning): number {
  return offsetIn(tree, warning) ?? Number.MAX_SAFE_INTEGER
}
