import { type NeedsReport, needsReport, studyImage } from '#analyze'
import { ExitCode } from '#diagnostics'
import { familiarReference } from '#oci'
import { cleanPath } from '#tree'
import type { NamedPlace } from '../images/named-place.ts'
import { withImages } from '../images/open-images.ts'
import { renderNeeds } from '../analyze/render-needs.ts'
import { reportView } from '../analyze/report-view.ts'
import type { NeedsFlags } from '../commands/needs.ts'
import type { CliContext } from '../context.ts'

/** `slipway needs`. */
export async function needsCommand(
  name: string,
  paths: readonly string[],
  flags: NeedsFlags,
  context: CliContext,
): Promise<number> {
  const names = [name, ...(flags.in === undefined ? [] : [flags.in])]
  return withImages(names, { options: flags, context }, async ({ open }) => {
    const image = await open(name)
    const study = await studyImage(await image.readable())
    const report = needsReport(study, {
      paths: paths.map(cleanPath),
      ...(flags.in !== undefined && { other: await studyImage(await (await open(flags.in)).readable()) }),
      from: flags.from ?? nameInDockerfile(image.place),
      runTime: flags.runTime,
    })
    const { stdout } = context
    if (flags.format === 'json') stdout.write(`${JSON.stringify({ version: 1, ...report })}\n`)
    else stdout.write(renderNeeds(report, reportView(context, 0)))
    return flags.exitCode && lacks(report) ? ExitCode.failure : ExitCode.ok
  })
}

/** How COPY --from can name the image; an archive has to become a stage or an image first. */
function nameInDockerfile(place: NamedPlace): string {
  if (place.kind === 'store') return place.name
  if (place.kind === 'registry') return familiarReference(place.reference)
  return place.kind === 'stage' ? place.stage : 'build'
}

/** What may be opened while a program runs is not known to be needed. */
function lacks({ broken, problems, needs, in: other }: NeedsReport): boolean {
  return (
    broken.length > 0 ||
    problems.length > 0 ||
    (other?.problems.length ?? 0) > 0 ||
    needs.some(({ there, kind }) => there === 'missing' && kind !== 'run-time')
  )
}
