import { existsSync } from 'node:fs'
import { ExitCode } from '#diagnostics'
import { type LintSettings, loadRules } from '#lint'
import type { LintFlags } from '../commands/lint.ts'
import type { CliContext } from '../context.ts'
import { findDockerfiles } from '../lint/find-dockerfiles.ts'
import { type LintConfig, readLintConfig } from '../lint/lint-config.ts'
import { type LintedFile, lintFile, type LintWorld } from '../lint/lint-file.ts'
import { lintCheckstyle, lintGithub, lintJson, lintSarif, lintText } from '../lint/lint-texts.ts'
import { unifiedDiff } from '../reports/unified-diff.ts'
import { storeRoot, withStore } from '../store-root.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway lint`: 0 when nothing is as bad as `--fail-on`, else 1. */
export async function lintCommand(paths: readonly string[], flags: LintFlags, context: CliContext): Promise<number> {
  const config = flags.config === false ? undefined : await readLintConfig(flags.config, context)
  const settings = await settingsOf(config, flags)
  const files = await findDockerfiles(paths.length === 0 ? ['.'] : paths, context)
  if (flags.fix && files.some(({ path }) => path === undefined)) {
    throw usageError('--fix cannot write to standard input', 'name a file')
  }
  const linted = await withWorld(settings, context, world => lintAll(files, flags, { world, context }))
  const text = await render(await withoutSecrets(linted), flags, context)
  if (flags.output === undefined) context.stdout.write(text)
  else await writeFileWhole(flags.output, text, context)
  const failOn = flags.failOn ?? config?.failOn ?? 'warning'
  if (failOn === 'never') return ExitCode.ok
  const { lintSeverities } = await loadRules()
  const least = lintSeverities.indexOf(failOn)
  const fails = linted.some(({ findings }) =>
    findings.some(({ severity }) => lintSeverities.indexOf(severity) <= least),
  )
  return fails ? ExitCode.failure : ExitCode.ok
}

async function settingsOf(config: LintConfig | undefined, flags: LintFlags): Promise<LintSettings> {
  const { defaultLintSettings } = await loadRules()
  const ignored = (flags.ignore ?? []).flatMap(text => text.split(/[\s,]+/)).filter(Boolean)
  return {
    ...defaultLintSettings,
    ...config,
    ignored: new Set([...(config?.ignored ?? []), ...ignored]),
    trustedRegistries: [...(config?.trustedRegistries ?? []), ...(flags.trustedRegistry ?? [])],
  }
}

/** The store tells about base images, where there is one; none is made for it. */
async function withWorld<T>(
  settings: LintSettings,
  context: CliContext,
  work: (world: LintWorld) => Promise<T>,
): Promise<T> {
  if (!existsSync(storeRoot(context))) return work({ settings })
  return withStore(context, store => work({ settings, store }))
}

async function lintAll(
  files: Awaited<ReturnType<typeof findDockerfiles>>,
  { fix }: LintFlags,
  { world, context }: { readonly world: LintWorld; readonly context: CliContext },
): Promise<readonly LintedFile[]> {
  const linted: LintedFile[] = []
  for (const file of files) {
    const found = await lintFile(file, world)
    linted.push(fix ? await fixed(found, { world, context }) : found)
  }
  return linted
}

/** What one change uncovers, the next round mends. */
const rounds = 5

async function fixed(
  file: LintedFile,
  { world, context }: { readonly world: LintWorld; readonly context: CliContext },
): Promise<LintedFile> {
  const { applyFixes } = await loadRules()
  let current = file
  for (let i = 0; i < rounds; i++) {
    const { text, mended } = applyFixes(current.source.text, current.findings)
    if (mended.length === 0) break
    current = await lintFile({ ...current, source: { ...current.source, text } }, world)
  }
  if (current.source.text === file.source.text || file.path === undefined) return current
  const { hideSecrets } = await import('../scan/hide-secrets.ts')
  context.stderr.write(unifiedDiff(hideSecrets(file.source), hideSecrets(current.source), file.source.name))
  await writeFileWhole(file.path, current.source.text, context)
  return current
}

/** What the reports show; fixes are not to be taken from it. The rules for secrets are loaded where there is something to show. */
async function withoutSecrets(files: readonly LintedFile[]): Promise<readonly LintedFile[]> {
  if (files.every(({ findings }) => findings.length === 0)) return files
  const { withHiddenSecrets } = await import('../scan/hide-secrets.ts')
  return files.map(file => ({ ...file, findings: withHiddenSecrets(file.findings) }))
}

async function render(files: readonly LintedFile[], flags: LintFlags, context: CliContext): Promise<string> {
  switch (flags.format) {
    case 'text':
      return lintText(files, { color: flags.output === undefined && context.color.stdout })
    case 'json':
      return lintJson(files)
    case 'sarif':
      return lintSarif(files)
    case 'checkstyle':
      return lintCheckstyle(files)
    case 'github':
      return lintGithub(files)
  }
}
