import { diffImages, studyImage } from '#analyze'
import { ExitCode } from '#diagnostics'
import { withImages } from '../images/open-images.ts'
import { renderDiff } from '../analyze/render-diff.ts'
import { reportView } from '../analyze/report-view.ts'
import type { DiffFlags } from '../commands/diff.ts'
import type { CliContext } from '../context.ts'

/** `slipway diff`. */
export async function diffCommand(
  [first, second]: readonly [string, string],
  flags: DiffFlags,
  context: CliContext,
): Promise<number> {
  return withImages([first, second], { options: flags, context }, async ({ open }) => {
    const one = await studyImage(await (await open(first)).readable())
    const two = await studyImage(await (await open(second)).readable())
    const result = diffImages(one, two, { times: flags.times })
    const { stdout } = context
    if (flags.format === 'json') stdout.write(`${JSON.stringify({ version: 1, ...result })}\n`)
    else stdout.write(renderDiff(result, reportView(context, flags.top)))
    return flags.exitCode && !result.equal ? ExitCode.failure : ExitCode.ok
  })
}
