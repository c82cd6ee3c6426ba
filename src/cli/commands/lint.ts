import type { LintSeverity } from '#lint'
import { addExamples, type Declare } from '../command-entry.ts'
import { choice } from '../options/choice.ts'
import { collect } from '../options/collect.ts'

export interface LintFlags {
  readonly format: 'text' | 'json' | 'sarif' | 'checkstyle' | 'github'
  readonly output?: string
  readonly failOn?: LintSeverity | 'never'
  readonly ignore?: readonly string[]
  readonly trustedRegistry?: readonly string[]
  /** A path, or false with `--no-config`. */
  readonly config?: string | false
  readonly fix?: boolean
}

/** Options of `slipway lint`. */
export const lint: Declare = (command, act) => {
  command
    .argument('[paths...]', 'Dockerfiles, directories to look for them in, or "-" for standard input (default: .)')
    .option(
      '--format <format>',
      'text, json, sarif, checkstyle, or github (annotations)',
      choice('--format', ['text', 'json', 'sarif', 'checkstyle', 'github']),
      'text' as const,
    )
    .option('-o, --output <file>', 'write the report to this file instead of standard output')
    .option(
      '--fail-on <severity>',
      'exit with 1 from this severity on: error, warning, info, style, or never (default: warning)',
      choice('--fail-on', ['error', 'warning', 'info', 'style', 'never']),
    )
    .option(
      '--ignore <rules>',
      "leave these rules out, by our name or by hadolint's (a,b; repeatable)",
      collect(text => text),
    )
    .option(
      '--trusted-registry <name>',
      'images may come from here only (repeatable)',
      collect(text => text),
    )
    .option('-c, --config <file>', 'settings (default: .slipway-lint.yaml or .hadolint.yaml, here or above)')
    .option('--no-config', 'read no settings')
    .option('--fix', 'mend what can be mended without changing what it means, and show the changes')
    .action(
      act(async (context, paths: readonly string[], flags: LintFlags) => {
        const { lintCommand } = await import('../actions/lint-command.ts')
        return lintCommand(paths, flags, context)
      }),
    )
  addExamples(command, [
    { command: 'slipway lint', does: 'all Dockerfiles below this directory' },
    { command: 'slipway lint --fix Dockerfile', does: 'mend what is safe to mend' },
    { command: 'slipway lint --format sarif -o lint.sarif --fail-on error .', does: 'for code scanning' },
    { command: 'slipway lint --ignore DL3008,RootAtEnd Dockerfile', does: 'without two rules' },
  ])
}
