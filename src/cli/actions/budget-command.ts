import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Baseline, baselineOf, checkBudget, parseBaseline, studyImage } from '#analyze'
import { ExitCode, UserError } from '#diagnostics'
import { type OpenImages, withImages } from '../images/open-images.ts'
import { budgetMarkdown, renderBudget } from '../analyze/render-budget.ts'
import { reportView } from '../analyze/report-view.ts'
import type { BudgetFlags } from '../commands/budget.ts'
import type { CliContext } from '../context.ts'
import { readText } from '../streams/open-input.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway budget`. */
export async function budgetCommand(name: string, flags: BudgetFlags, context: CliContext): Promise<number> {
  checkFlags(flags)
  const { against, max = [], save, markdown } = flags
  const stored = against === undefined ? undefined : await storedBaseline(against, context)
  const names = [name, ...(against === undefined || stored ? [] : [against])]
  return withImages(names, { options: flags, context }, async images => {
    const before = stored ?? (against === undefined ? undefined : await figures(against, images))
    const report = checkBudget(await figures(name, images), max, before)
    const { stdout } = context
    if (save !== undefined) await writeFileWhole(save, `${JSON.stringify(report.now, undefined, 1)}\n`, context)
    if (markdown === '-') stdout.write(budgetMarkdown(report))
    else if (markdown !== undefined) await writeFileWhole(markdown, budgetMarkdown(report), context)
    if (flags.format === 'json') stdout.write(`${JSON.stringify(report)}\n`)
    else if (markdown !== '-') stdout.write(renderBudget(report, reportView(context, 10)))
    return report.ok ? ExitCode.ok : ExitCode.failure
  })
}

function checkFlags({ max = [], against, save, markdown, format }: BudgetFlags): void {
  const growth = max.find(({ amount }) => amount.kind !== 'absolute')
  if (growth && against === undefined) {
    throw usageError(`--max ${growth.text} speaks of growth, and there is nothing to grow from`, 'add --against FILE')
  }
  if (max.length === 0 && save === undefined && against === undefined) {
    throw usageError('there is no limit', 'add --max size=200MB, or keep the figures with --save FILE')
  }
  if (markdown === '-' && format === 'json') {
    throw usageError('more than one thing would go to standard output', 'give --markdown a file')
  }
}

async function figures(name: string, { open }: OpenImages): Promise<Baseline> {
  return baselineOf((await studyImage(await (await open(name)).readable())).analysis)
}

/** Stored figures are a few hundred bytes a directory. */
const largestBaseline = 64 << 20

/** Undefined where it is no file, or an archive of an image. Throws a `UserError` for a file of another form. */
async function storedBaseline(against: string, context: CliContext): Promise<Baseline | undefined> {
  const isFile = statSync(resolve(context.directory, against), { throwIfNoEntry: false })?.isFile() === true
  if (!isFile) {
    if (!against.endsWith('.json')) return undefined
    throw new UserError(`there is no file ${JSON.stringify(against)}`, { hint: 'make it with slipway budget --save' })
  }
  if (/\.(tar|tgz|oci)(\.\w+)?$/.test(against)) return undefined
  const baseline = parseBaseline(await readText(against, largestBaseline, context))
  if (baseline) return baseline
  throw new UserError(`${against} is not what slipway budget --save writes`, {
    hint: 'make it again with this version; for an image, write docker-archive:FILE or oci-archive:FILE',
  })
}
