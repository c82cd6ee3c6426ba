/**
 * lint: rules over the syntax tree, each with a page in docs/checks.
 *
 * In: a Dockerfile's tree, what is known about its context and base images, what planning found. Out: warnings under the
 * exact words, without those that the file or the user turned off. Always: pure; nothing is read or resolved. The rules
 * beyond the build checks are loaded when they are asked for.
 */
export { type CheckName, checkNames, checkPage } from './check-names.ts'
export type { LintOptions } from './finding.ts'
export { lintDockerfile } from './lint-dockerfile.ts'
export type { LintFinding, LintSettings } from './lint-with-rules.ts'
export type { LabelType, RunView, StageView } from './rules/rule-finding.ts'
export type { LintSeverity } from './rules/rule-table.ts'
export type { ShellCommand } from './shell/shell-command.ts'
export { loadRules } from './load-rules.ts'
