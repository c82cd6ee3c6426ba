import type { ImageConfig } from '#oci'
import type { ReadableImage } from './readable-image.ts'

/** What made a layer, as far as the image or the store tells. */
export interface Instruction {
  /** `RUN`, `COPY`, …; empty where nothing tells. */
  readonly keyword: string
  /** The instruction on one line, without what builders add to it; empty where nothing tells. */
  readonly text: string
  /** Lines of the Dockerfile, from 1, the last one included. */
  readonly lines?: { readonly first: number; readonly last: number }
  readonly stage?: string
}

/** The instruction of each layer, by position. */
export function instructionsOf({ config, recipe, layers }: ReadableImage): readonly Instruction[] {
  const texts = layerHistory(config)
  return layers.map((_, i) => {
    const known = recipe?.layers[i]
    if (!known) return parseCreatedBy(texts[i] ?? '')
    return {
      keyword: keywordOf(known.instruction),
      text: known.instruction,
      lines: { first: known.line, last: known.endLine },
      stage: known.stage,
    }
  })
}

/** `created_by` of the entries that have a layer; a layer may have none (image-spec, config.md: history is optional). */
function layerHistory({ history }: ImageConfig): readonly string[] {
  return history.filter(entry => entry.empty_layer !== true).map(entry => entry.created_by ?? entry.comment ?? '')
}

/**
 * A history text as an instruction: `/bin/sh -c #(nop) COPY …` and `/bin/sh -c make` of Docker's first builder and of
 * Buildah, `RUN |1 A=b /bin/sh -c make # buildkit` of BuildKit.
 */
export function parseCreatedBy(createdBy: string): Instruction {
  const text = createdBy.replace(/\s+/g, ' ').trim()
  const nop = /^(?:\S+ -\S+ )?#\(nop\) *(.*)$/.exec(text)
  if (nop) return instruction(nop[1] ?? '')
  const plain = text.replace(/ # buildkit$/, '')
  if (/^[A-Z]+ /.test(plain) && keywords.has(keywordOf(plain))) return instruction(withoutShell(plain))
  if (/^(\|\d+ .*)?\/bin\/(ba|da|a)?sh -\S+ /.test(plain)) return instruction(withoutShell(`RUN ${plain}`))
  return { keyword: '', text: plain }
}

const keywords: ReadonlySet<string> = new Set(['ADD', 'COPY', 'RUN', 'WORKDIR'])

/** Arguments and the default shell in front of a command say nothing about it. */
function withoutShell(text: string): string {
  return text.replace(/^RUN (\|\d+ .*?)?(?=\/bin\/\w+ -)/, 'RUN ').replace(/^RUN \/bin\/(ba|da|a)?sh -\w*c /, 'RUN ')
}

function instruction(text: string): Instruction {
  return { keyword: keywordOf(text), text }
}

function keywordOf(text: string): string {
  return /^[A-Za-z]+/.exec(text)?.[0].toUpperCase() ?? ''
}
