import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CommandLine } from './command-line.ts'
import type { Example } from './read-examples.ts'
import { type ImageReport, reportPage, type SecretFinding } from './report-page.ts'

/** What of `analyze --format json` the page needs. */
interface Analysis {
  readonly totals: Omit<ImageReport['totals'], 'layers'>
  readonly layers: readonly unknown[]
}

/** Writes the report of an example, `NAME.md`, from what slipway says about its images. */
export async function writeReport(example: Example, slipway: CommandLine, directory: string): Promise<void> {
  const reports: ImageReport[] = []
  for (const { tag, about } of example.images) {
    const { totals, layers } = JSON.parse(await slipway.read(['analyze', '--format', 'json', tag])) as Analysis
    const scanned = await slipway.read(['scan', '--format', 'json', '--fail-on', 'never', tag])
    const { findings } = JSON.parse(scanned) as { readonly findings: readonly SecretFinding[] }
    reports.push({ tag, about, totals: { ...totals, layers: layers.length }, findings })
  }
  const shown = [example.images[0], example.images.at(-1)].flatMap(image => image?.tag ?? [])
  const texts = new Map<string, string>()
  for (const tag of shown) texts.set(tag, await slipway.read(['analyze', '--top', '5', tag]))
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${example.name}.md`), reportPage(example, reports, texts))
}

/** Writes the page of `analyze --html` for each image of an example: `NAME-IMAGE.html`. */
export async function writePages(example: Example, slipway: CommandLine, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  for (const { tag } of example.images) {
    await slipway.read(['analyze', '--html', join(resolve(directory), `${tag.replace(':', '-')}.html`), tag])
  }
}

/** Throws where `slipway scan` finds something in what was written: reports show no secrets. */
export async function checkReports(slipway: CommandLine, directory: string): Promise<void> {
  await slipway.read(['scan', '--fail-on', 'low', resolve(directory)])
}
