import { mkdir } from 'node:fs/promises'
import { existsSync, openSync, readSync, closeSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { chainOf, findImage } from '#build'
import { ExitCode, UserError } from '#diagnostics'
import { openImageArchive } from '#image'
import { type ImageConfig, parseImageConfig } from '#oci'
import { openLayerTar } from '#rootfs'
import {
  baselineOf,
  beyondBaseline,
  parseBaseline,
  scanDirectory,
  scanImage,
  type ScanOptions,
  type ScanReport,
} from '#scan'
import type { Store } from '#store'
import type { ScanFlags } from '../commands/scan.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { withStore } from '../store-root.ts'
import { readText } from '../streams/open-input.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
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

/** A path where it looks like one or where there is no such image; else an image. Or the exit code of the inner process. */
async function scanTarget(target: string, { all }: ScanFlags, context: CliContext): Promise<Scanned | number> {
  const options: ScanOptions = { everything: all === true, signal: context.interrupts.signal }
  const path = resolve(context.directory, target)
  const isPath = existsSync(path)
  if (isPath && (/^[./~]/.test(target) || target.endsWith('/') || !(await isImage(target, context)))) {
    if (isImageArchive(path)) return withStore(context, store => scanArchiveFile(store, path, { target, options }))
    return { target, report: await scanDirectory(path, options) }
  }
  const unpacked = await withStore(context, async store => {
    try {
      return isUnpacked(chainOf(store, findImage(store, target)))
    } catch (error) {
      if (!(error instanceof UserError) || isPath) throw error
      throw new UserError(`there is neither an image nor a file ${JSON.stringify(target)}`, { hint: error.hint })
    }
  })
  const inner = await enterNamespace(context, unpacked)
  if (inner !== undefined) return inner
  return withStore(context, async store => {
    const image = findImage(store, target)
    const config = parseImageConfig((await store.blobs.get(image.id)).toString())
    const chain = chainOf(store, image)
    const layers = chain.map((_, i) => ({ open: () => openLayerTar(store, chain.slice(0, i + 1)) }))
    return { target, config, report: await scanImage({ config, layers }, options) }
  })
}

async function isImage(name: string, context: CliContext): Promise<boolean> {
  return withStore(context, async store => {
    try {
      return findImage(store, name) !== undefined
    } catch (error) {
      if (error instanceof UserError) return false
      throw error
    }
  })
}

/** An OCI layout, or a file that begins like a tar (a Docker or OCI archive). */
function isImageArchive(path: string): boolean {
  if (statSync(path).isDirectory()) return existsSync(join(path, 'oci-layout'))
  const start = Buffer.alloc(512)
  const file = openSync(path, 'r')
  try {
    readSync(file, start, 0, 512, 0)
  } finally {
    closeSync(file)
  }
  const name = start.toString('latin1', 0, 100).split('\0', 1)[0] ?? ''
  return (
    start.toString('latin1', 257, 262) === 'ustar' &&
    /^(?:\.\/)?(?:blobs|oci-layout|index\.json|manifest\.json|[0-9a-f]{64}|repositories)/.test(name)
  )
}

async function scanArchiveFile(
  store: Store,
  path: string,
  { target, options }: { readonly target: string; readonly options: ScanOptions },
): Promise<Scanned> {
  const scratch = await store.temporary('scan')
  await mkdir(scratch)
  await using archive = await openImageArchive(path, { scratch, name: target })
  const [image] = archive.images
  if (!image) throw new UserError(`${target} holds no image`, { hint: 'name an archive with one image' })
  if (archive.images.length > 1) {
    throw new UserError(`${target} holds ${archive.images.length} images`, {
      hint: 'load it with "slipway load", then scan them one by one',
    })
  }
  const config = parseImageConfig(Buffer.from(image.config).toString())
  return { target, config, report: await scanImage({ config, layers: image.layers }, options) }
}
