import { type Study, studyImage } from '#analyze'
import { findImage } from '#build'
import { parseDockerfile } from '#dockerfile'
import type { Measured } from '#fix'
import { digestOf, type ImageConfig } from '#oci'
import type { ImageRecord, Store } from '#store'
import { isInStore } from '../images/named-place.ts'
import type { OpenImages } from '../images/open-images.ts'

/** More bases are not looked into when nobody names them. */
const mostBases = 6

/** The last image of the store that was built from this text, by what the store knows of its layers; undefined without one. */
export function builtFrom(store: Store, dockerfile: string): ImageRecord | undefined {
  const lines = dockerfile.split('\n')
  const fitting = store.images.all().filter(({ recipe }) => {
    const own = recipe?.layers.filter(layer => layer !== null) ?? []
    return own.length > 0 && own.every(layer => isAt(lines, layer))
  })
  return fitting.toSorted((a, b) => b.made - a.made)[0]
}

/** Spaces, continued lines and comments aside, the lines hold this instruction. */
function isAt(
  lines: readonly string[],
  { line, endLine, instruction }: { readonly line: number; readonly endLine: number; readonly instruction: string },
): boolean {
  const text = lines.slice(line - 1, endLine).filter(each => !/^\s*#/.test(each))
  const plain = (words: string): string => words.replaceAll(/[\s\\]+/g, '')
  return plain(text.join('')).startsWith(plain(instruction))
}

/** The figures that proposals are made from. */
export async function measuredImage(
  { store, open }: OpenImages,
  {
    image,
    bases,
    dockerfile,
  }: { readonly image: string; readonly bases: readonly string[] | undefined; readonly dockerfile: string },
): Promise<Measured> {
  const study = await studyImage(await (await open(image)).readable())
  const names = bases ?? likelyBases(store, study, dockerfile)
  const found = []
  for (const name of names) {
    const base = name === 'scratch' ? await emptyStudy(study.image.config) : await studyOf(name, open)
    if (base.image.config.architecture === study.image.config.architecture) found.push({ name, study: base })
  }
  return { study, bases: found }
}

async function studyOf(name: string, open: OpenImages['open']): Promise<Study> {
  return studyImage(await (await open(name)).readable())
}

/**
 * The present base, and images of the store that nobody built on others: bases that were composed, imported or pulled. Only what the store
 * has whole: nothing is downloaded to give advice.
 */
function likelyBases(store: Store, { analysis, image }: Study, dockerfile: string): readonly string[] {
  const { stages } = parseDockerfile({ name: 'Dockerfile', text: dockerfile })
  const named = new Set(stages.flatMap(({ name }) => (name === undefined ? [] : [name])))
  const from = stages.at(-1)?.from.image.text ?? ''
  const present = analysis.base.source === 'build' && !/[$]/.test(from) && !named.has(from) ? [from] : []
  const size = ({ layers }: ImageRecord): number =>
    layers.reduce((sum, id) => sum + (store.layers.get(id)?.size ?? Number.POSITIVE_INFINITY), 0)
  const smaller = store.images
    .all()
    .filter(({ id, recipe, tags }) => recipe === undefined && tags.length > 0 && id !== image.id)
    .filter(({ layers }) => store.layers.areHere(layers))
    .map(record => ({ name: record.tags[0] ?? '', size: size(record) }))
    .filter(each => each.size > 0 && each.size < analysis.totals.size)
    .toSorted((a, b) => a.size - b.size)
    .slice(0, mostBases)
  const here = present.filter(name => isInStore(store, name) && store.layers.areHere(findImage(store, name).layers))
  return [...new Set([...here, ...smaller.map(({ name }) => name)])]
}

/** What FROM scratch begins with. */
async function emptyStudy(config: ImageConfig): Promise<Study> {
  const empty: ImageConfig = { ...config, config: {}, history: [], rootfs: { ...config.rootfs, diff_ids: [] } }
  return studyImage({ name: 'scratch', id: digestOf(Buffer.from('{}')), config: empty, layers: [] })
}
