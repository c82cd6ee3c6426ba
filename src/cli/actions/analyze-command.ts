import { type Analysis, givenBase, htmlReport, type ReadableImage, studyImage } from '#analyze'
import { ExitCode, UserError } from '#diagnostics'
import { type OpenImages, withImages } from '../images/open-images.ts'
import { renderAnalysis } from '../analyze/render-analysis.ts'
import { reportView } from '../analyze/report-view.ts'
import type { AnalyzeFlags } from '../commands/analyze.ts'
import type { CliContext } from '../context.ts'
import type { Limit } from '../options/limit.ts'
import { formatSize } from '../size.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway analyze`. */
export async function analyzeCommand(name: string, flags: AnalyzeFlags, context: CliContext): Promise<number> {
  if (flags.compare !== undefined && flags.html === undefined) {
    throw usageError('--compare shows changes in the page of --html', 'add --html FILE, or use slipway diff')
  }
  const names = [name, flags.base, flags.compare].filter(each => each !== undefined)
  return withImages(names, { options: flags, context }, async images => {
    const image = await withBase(await (await images.open(name)).readable(), flags.base, images)
    const study = await studyImage(image)
    const { analysis } = study
    if (flags.html !== undefined) {
      const compared =
        flags.compare === undefined ? undefined : await studyImage(await (await images.open(flags.compare)).readable())
      await writeFileWhole(flags.html, htmlReport(study, compared), context)
    }
    const { stdout } = context
    if (flags.format === 'json') stdout.write(`${JSON.stringify({ version: 1, ...analysis })}\n`)
    else stdout.write(renderAnalysis(analysis, reportView(context, flags.top)))
    return checkLimits(analysis, flags.failOn ?? [], context)
  })
}

/** Throws a `UserError` when the image is not made from that base. */
async function withBase(image: ReadableImage, base: string | undefined, { open }: OpenImages): Promise<ReadableImage> {
  if (base === undefined) return image
  const found = givenBase(image, await (await open(base)).readable())
  if (found) return { ...image, base: found }
  throw new UserError(`${image.name} is not built from ${base}: its lowest layers are others`, {
    hint: 'name the base in the version that was used; it may have been replaced under its name since',
  })
}

function checkLimits({ totals, layers }: Analysis, limits: readonly Limit[], { stderr }: CliContext): number {
  const values: Readonly<Record<Limit['metric'], number>> = {
    size: totals.size,
    waste: totals.waste,
    savings: totals.savings,
    duplicates: totals.duplicates,
    'base-waste': totals.wasteInBase.byBase + totals.wasteInBase.byOwn,
    layers: layers.length,
    files: totals.files,
  }
  const broken = limits.filter(
    ({ metric, most, unit }) => values[metric] > (unit === 'percent' ? most * totals.size : most),
  )
  for (const { metric, text } of broken) {
    const value = metric === 'layers' || metric === 'files' ? String(values[metric]) : formatSize(values[metric])
    stderr.write(`--fail-on ${text}: ${metric} is ${value}\n`)
  }
  return broken.length > 0 ? ExitCode.failure : ExitCode.ok
}
