import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { findImage } from '#build'
import { ExitCode, UserError } from '#diagnostics'
import type { ImageConfig } from '#oci'
import {
  baselineOf,
  beyondBaseline,
  parseBaseline,
  scanDirectory,
  scanImage,
  type ScanOptions,
  type ScanReport,
} from '#scan'
import type { ScanFlags } from '../commands/scan.ts'
import type { CliContext } from '../context.ts'
import { holdsImage, isInStore, namedPlace } from '../images/named-place.ts'
import { withImages } from '../images/open-images.ts'
import { refuseStageOptions } from '../images/stage-images.ts'
import { withStore } from '../store-root.ts'
import { readText } from '../streams/open-input.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'
import { scanJson, scanSarif, scanText } from './scan-texts.ts'

/** What was scanned. */
export interface Scanned {
  readonly target: string
  readonly report: ScanReport
  /** Of an image. */
  readonly config?: ImageConfig
}

/** `slipway scan`: 0 when nothing is as bad as `--fail-on`, else 1. */
export async function scanCommand(target: string, flags: ScanFlags, context: CliContext): Promise<number> {
  const baseline =
    flags.baseline === undefined
      ? undefined
      : parseBaseline(await readText(flags.baseline, 64 << 20, context), flags.baseline)
  const scanned = await scanTarget(target, flags, context)
  if (typeof scanned === 'number') return scanned
  const { report } = scanned
  if (flags.writeBaseline !== undefined) await writeFileWhole(flags.writeBaseline, baselineOf(report.findings), context)
  const findings = baseline ? beyondBaseline(report.findings, baseline) : report.findings
  const shown = { ...scanned, report: { ...report, findings }, known: report.findings.length - findings.length }
  const text =
    flags.format === 'json'
      ? scanJson(shown)
      : flags.format === 'sarif'
        ? await scanSarif(shown)
        : scanText(shown, { color: flags.output === undefined && context.color.stdout })
  if (flags.output === undefined) context.stdout.write(text)
  else await writeFileWhole(flags.output, text, context)
  if (flags.writeBaseline !== undefined || flags.failOn === 'never') return ExitCode.ok
  const levels = ['low', 'medium', 'high'] as const
  const least = levels.indexOf(flags.failOn)
  return findings.some(({ severity }) => levels.indexOf(severity) >= least) ? ExitCode.failure : ExitCode.ok
}

/** A file or directory where it is one that holds no image; else an image. Or the exit code of the inner process. */
async function scanTarget(target: string, flags: ScanFlags, context: CliContext): Promise<Scanned | number> {
  const options: ScanOptions = { everything: flags.all === true, signal: context.interrupts.signal }
  const path = await filePath(target, context)
  if (path !== undefined) {
    if (flags.platform) throw usageError('--platform chooses an image, and these are files', 'leave it out')
    refuseStageOptions(flags)
    return { target, report: await scanDirectory(path, options) }
  }
  let scanned: Scanned | undefined
  const code = await withImages([target], { options: flags, context }, async ({ open }) => {
    const { config, layers } = await open(target)
    scanned = { target, config, report: await scanImage({ config, layers }, options) }
    return ExitCode.ok
  })
  return scanned ?? code
}

/** Where there are files to look at, not an image. Throws a `UserError` for a name that means nothing. */
async function filePath(target: string, context: CliContext): Promise<string | undefined> {
  return withStore(context, async store => {
    const place = await namedPlace(target, { store, context })
    const path = resolve(context.directory, target)
    if (place.kind === 'path') return existsSync(path) && !(await holdsImage(path)) ? path : undefined
    if (place.kind !== 'store' || place.name !== target || isInStore(store, target)) return undefined
    if (existsSync(path)) return path
    try {
      findImage(store, target)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      throw new UserError(`there is neither an image nor a file ${JSON.stringify(target)}`, { hint: error.hint })
    }
    return undefined
  })
}
