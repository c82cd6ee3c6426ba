import type { Span, Warning } from '#diagnostics'
import type { Comment, DockerfileTree } from '#dockerfile'
import { checkFix } from './check-fixes.ts'
import type { LintOptions } from './finding.ts'
import { lintDockerfile } from './lint-dockerfile.ts'
import { fileSettings, isActive } from './check-settings.ts'
import type { Edit, RuleFinding, RuleSettings } from './rules/rule-finding.ts'
import {
  type LintSeverity,
  lintSeverities,
  namesOfCode,
  ruleTable,
  type RuleName,
  severityOf,
} from './rules/rule-table.ts'
import { runRules } from './rules/run-rules.ts'

/** One finding of `slipway lint`. */
export interface LintFinding extends Warning {
  readonly severity: LintSeverity
  /** What hadolint calls it. */
  readonly codes: readonly string[]
  /** Changes that mend it and mean the same otherwise. */
  readonly fix?: readonly Edit[]
}

/** What a person settled for all their files. */
export interface LintSettings extends RuleSettings {
  /** Names of rules, of checks, or hadolint's. */
  readonly ignored: ReadonlySet<string>
  readonly severities: ReadonlyMap<string, LintSeverity>
  /** Comments in files that ignore rules do nothing. */
  readonly withoutPragmas: boolean
}

export const defaultLintSettings: LintSettings = {
  ignored: new Set(),
  severities: new Map(),
  withoutPragmas: false,
  trustedRegistries: [],
  labelSchema: new Map(),
  strictLabels: false,
  libcOf: new Map(),
}

/**
 * What the build checks and all rules say about a file, in its order, less what settings and comments turn off. Throws a
 * `UserError` for wrong `# check=` settings.
 */
export function lintWithRules(
  tree: DockerfileTree,
  settings: LintSettings,
  options: LintOptions = {},
): readonly LintFinding[] {
  const { at } = fileSettings(tree, options.setting)
  const pragmas = settings.withoutPragmas ? () => new Set<string>() : pragmasOf(tree)
  const checks = lintDockerfile(tree, options).map(warning => judged(warning, tree, settings))
  const rules = runRules(tree, settings)
    .filter(({ code, span }) => isActive(code, at(span.start)))
    .map(finding => ruleFinding(finding, tree, settings))
  const seen = new Set<string>()
  return [...checks, ...rules]
    .filter(({ code, codes, at: place }) => {
      const ignored = place ? pragmas(place.span.start) : new Set<string>()
      const names = [code, ...codes, 'all']
      const key = `${code} ${place?.span.start}`
      if (seen.has(key) || names.some(name => settings.ignored.has(name) || ignored.has(name))) return false
      seen.add(key)
      return true
    })
    .toSorted((a, b) => (a.at?.span.start ?? Infinity) - (b.at?.span.start ?? Infinity) || rank(a) - rank(b))
}

function rank({ severity }: LintFinding): number {
  return lintSeverities.indexOf(severity)
}

function judged(warning: Warning, tree: DockerfileTree, { severities }: LintSettings): LintFinding {
  const codes = codesOf(warning.code)
  const fix = checkFix(warning, tree)
  return { ...warning, codes, severity: severityBy(warning.code, codes, severities), ...(fix && { fix }) }
}

function codesOf(name: string): readonly string[] {
  return Object.hasOwn(ruleTable, name) ? ruleTable[name as RuleName].codes : (buildCodes.get(name) ?? [])
}

const buildCodes: ReadonlyMap<string, readonly string[]> = new Map(
  ['DL3000', 'DL3012', 'DL3024', 'DL3025', 'DL3029', 'DL4000', 'DL4003', 'DL4004']
    .flatMap(code => namesOfCode(code).map(name => [name, code] as const))
    .reduce((map, [name, code]) => map.set(name, [...(map.get(name) ?? []), code]), new Map<string, string[]>()),
)

function severityBy(name: string, codes: readonly string[], severities: LintSettings['severities']): LintSeverity {
  for (const each of [name, ...codes]) {
    const set = severities.get(each)
    if (set !== undefined) return set
  }
  return severityOf(name)
}

function ruleFinding(
  { code, message, hint, span, fix }: RuleFinding,
  { source }: DockerfileTree,
  settings: LintSettings,
): LintFinding {
  const codes = codesOf(code)
  return {
    code,
    message,
    hint,
    at: { source, span },
    url: `docs/checks/${code}.md`,
    codes,
    severity: severityBy(code, codes, settings.severities),
    ...(fix && { fix }),
  }
}

const pragma = /^(?:hadolint|slipway)\s+(?<global>global\s+)?ignore\s*=\s*(?<names>[\w\s,.-]+)/i

/** What comments ignore: `# hadolint ignore=DL3008` above an instruction, `# slipway global ignore=RULE` for the file. */
function pragmasOf(tree: DockerfileTree): (offset: number) => ReadonlySet<string> {
  const names = ({ text }: Comment, global: boolean): readonly string[] => {
    const match = pragma.exec(text)
    if (!match?.groups || (match.groups['global'] !== undefined) !== global) return []
    return (match.groups['names'] ?? '').split(/[\s,]+/).filter(Boolean)
  }
  const whole = new Set(tree.comments.flatMap(comment => names(comment, true)))
  const parts = [
    ...tree.globalArgs,
    ...tree.stages.flatMap(({ from, instructions }) => [from, ...instructions]),
  ].flatMap(({ comments, span }) => {
    const own = comments.flatMap(comment => names(comment, false))
    return own.length === 0 ? [] : [{ span, own }]
  })
  const holds = (span: Span, offset: number): boolean => offset >= span.start && offset <= span.end
  return offset => {
    const own = parts.filter(({ span }) => holds(span, offset)).flatMap(part => part.own)
    return own.length === 0 ? whole : whole.union(new Set(own))
  }
}
