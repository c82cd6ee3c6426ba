import type { Instruction } from './instructions.ts'
import type { ReadableImage } from './readable-image.ts'
import type { LayerTrace } from './trace-layers.ts'

/** Bytes of file content that a layer, or all layers of an instruction, brought and took. */
export interface LayerBytes {
  /** All bytes it holds: `added` + `changed` + `reowned`. */
  readonly size: number
  /** Files where no file was. */
  readonly added: number
  /** Files in the place of others with other content. */
  readonly changed: number
  /** Files that only got another owner, mode, time or attribute: their bytes stand in the image once more. */
  readonly reowned: number
  /** Bytes of lower layers whose last name it removed. They stay in the image. */
  readonly removed: number
  /** Of its own bytes, those that no later layer lets be seen. */
  readonly hidden: number
}

/** One layer. */
export interface LayerReport extends LayerBytes {
  /** Position, base first, from 0. */
  readonly layer: number
  readonly diffId: string
  /** Whether it came with the base image. */
  readonly inBase: boolean
  readonly instruction: Instruction
  /** Files with bytes of their own, not further names of them. */
  readonly files: number
  /** Objects of any type. */
  readonly objects: { readonly added: number; readonly changed: number; readonly removed: number }
  /** Bytes of the uncompressed archive, and of the compressed one, where known. */
  readonly tarSize?: number
  readonly compressedSize?: number
}

/** All layers of one instruction of the Dockerfile, or of one text in the history. */
export interface LineReport extends LayerBytes {
  readonly instruction: Instruction
  readonly inBase: boolean
  readonly layers: readonly number[]
}

type Draft = { -readonly [key in keyof LayerBytes]: number } & { files: number }

/** The rows of the table, base first. */
export function layerReports(
  image: ReadableImage,
  trace: LayerTrace,
  instructions: readonly Instruction[],
): readonly LayerReport[] {
  const drafts = image.layers.map(
    (): Draft => ({ size: 0, added: 0, changed: 0, reowned: 0, removed: 0, hidden: 0, files: 0 }),
  )
  for (const { layer, entry, change, end } of trace.copies) {
    const draft = drafts[layer] as Draft
    draft.size += entry.size
    draft[change] += entry.size
    draft.files++
    if (!end) continue
    draft.hidden += entry.size
    if (end.how === 'removed') (drafts[end.layer] as Draft).removed += entry.size
  }
  return image.layers.map(({ diffId, tarSize, compressedSize }, layer) => ({
    layer,
    diffId,
    inBase: layer < (image.base?.layers ?? 0),
    instruction: instructions[layer] as Instruction,
    ...(drafts[layer] as Draft),
    objects: trace.objects[layer] ?? { added: 0, changed: 0, removed: 0 },
    ...(tarSize !== undefined && { tarSize }),
    ...(compressedSize !== undefined && { compressedSize }),
  }))
}

const amounts = ['size', 'added', 'changed', 'reowned', 'removed', 'hidden'] as const

/** Layers of the same instruction together, in the order of their first layer. */
export function lineReports(layers: readonly LayerReport[]): readonly LineReport[] {
  const groups = new Map<string, LayerReport[]>()
  for (const report of layers) {
    const { lines, stage, text } = report.instruction
    const key = lines ? `${stage}:${lines.first}` : text === '' ? `layer ${report.layer}` : text
    const group = groups.get(key)
    if (group) group.push(report)
    else groups.set(key, [report])
  }
  return [...groups.values()].map(group => {
    const first = group[0] as LayerReport
    const sums = amounts.map(name => [name, group.reduce((sum, report) => sum + report[name], 0)])
    return {
      instruction: first.instruction,
      inBase: first.inBase,
      layers: group.map(({ layer }) => layer),
      ...(Object.fromEntries(sums) as unknown as LayerBytes),
    }
  })
}
