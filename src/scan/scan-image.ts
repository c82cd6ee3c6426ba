import { createTarParser } from '#tar'
import { cleanPath, joinPath, splitPath } from '#tree'
import type { ImageConfig } from '#oci'
import { fileScanner } from './file-scanner.ts'
import type { ScanReport, SecretFinding, SecretPlace } from './finding.ts'
import { scanConfig } from './scan-config.ts'

/** An image, wherever it is. */
export interface ScannedImage {
  readonly config: ImageConfig
  /** Base first; each gives the uncompressed archive. */
  readonly layers: readonly { open(): AsyncIterable<Uint8Array> }[]
}

export interface ScanOptions {
  /** Tests and documentation of packages too. */
  readonly everything?: boolean
  readonly signal?: AbortSignal
  /** Layers to leave out, by position: scanned before, or of no interest. */
  readonly skipLayers?: ReadonlySet<number>
  /** Called with the bytes of layers read so far. */
  readonly onBytes?: (done: number) => void
}

/**
 * Every secret of an image: in all layers, also in files that a later layer removes, and in the configuration. One pass
 * over the archives, with bounded memory. Throws what reading the layers throws, and the reason of `signal`.
 */
export async function scanImage({ config, layers }: ScannedImage, options: ScanOptions = {}): Promise<ScanReport> {
  const collected = collect()
  let done = 0
  for (const [layer, archive] of layers.entries()) {
    if (options.skipLayers?.has(layer)) continue
    for await (const chunk of scanLayer(archive.open(), layer, { collected, options })) {
      options.signal?.throwIfAborted()
      done += chunk.length
      options.onBytes?.(done)
    }
  }
  return { ...collected.report(), findings: [...scanConfig(config), ...collected.report().findings] }
}

/** Gathers findings, counts and notes. */
export interface Collector {
  readonly found: (finding: SecretFinding) => void
  readonly read: (files: number, bytes: number) => void
  readonly note: (text: string) => void
  /** Something of the layer that is read removes or replaces what lay at a path, and what lay below it. */
  readonly hide: (path: string, belowOnly: boolean) => void
  /** That layer is read: what it hides of those below is known. */
  readonly settleHidden: (layer: number) => void
  readonly report: () => ScanReport
}

export function collect(): Collector {
  const findings: SecretFinding[] = []
  const notes: string[] = []
  /** By path: whether only what lies below it is gone. */
  const gone = new Map<string, boolean>()
  let files = 0
  let bytes = 0
  return {
    found: finding => findings.push(finding),
    read: (more, size) => {
      files += more
      bytes += size
    },
    note: text => notes.push(text),
    hide: (path, belowOnly) => {
      if (findings.length > 0) gone.set(path, belowOnly && (gone.get(path) ?? true))
    },
    settleHidden: layer => {
      for (const [i, finding] of findings.entries()) {
        if (isHidden(finding.place, layer, gone)) {
          findings[i] = { ...finding, place: { ...finding.place, hiddenBy: layer } as SecretPlace }
        }
      }
      gone.clear()
    },
    report: () => ({ findings: [...findings], files, bytes, notes: [...new Set(notes)] }),
  }
}

function isHidden(place: SecretPlace, layer: number, gone: ReadonlyMap<string, boolean>): boolean {
  if (place.kind !== 'file' || place.hiddenBy !== undefined || (place.layer ?? layer) >= layer) return false
  if (gone.get(place.path) === false) return true
  for (let at = place.path; at !== ''; ) {
    at = splitPath(at).parent
    if (gone.has(at)) return true
  }
  return false
}

/** Gives the archive's bytes on, once looked at. */
async function* scanLayer(
  archive: AsyncIterable<Uint8Array>,
  layer: number,
  { collected, options }: { readonly collected: Collector; readonly options: ScanOptions },
): AsyncGenerator<Uint8Array> {
  const { everything = false, signal } = options
  const files = fileScanner({ ...collected, everything, layer, signal })
  let isFile = false
  const parser = createTarParser({
    onHeader: ({ path: raw, type, size }) => {
      const path = cleanPath(raw)
      const { parent, name } = splitPath(path)
      isFile = type === 'file' && !name.startsWith('.wh.')
      if (name === '.wh..wh..opq') collected.hide(parent, true)
      else if (name.startsWith('.wh.')) collected.hide(joinPath(parent, name.slice(4)), false)
      else if (type !== 'directory') collected.hide(path, false)
      if (isFile) files.begin(path, size)
    },
    onContent: bytes => {
      if (isFile) files.push(bytes)
    },
    onHole: () => undefined,
    onMemberEnd: () => {
      if (isFile) files.end()
    },
  })
  for await (const chunk of archive) {
    parser.push(chunk)
    await files.settle()
    yield chunk
  }
  parser.end()
  await files.settle()
  collected.settleHidden(layer)
}
