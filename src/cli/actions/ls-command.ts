import { mkdir } from 'node:fs/promises'
import { archivedImage, type ReadableImage } from '#analyze'
import { nearest, UserError } from '#diagnostics'
import { type ImagePlace, parseImagePlace } from '#image'
import { cleanPath, type Entry, joinPath, lookup, mergeLayers, type MergedTree, splitPath } from '#tree'
import { withImages } from '../analyze/open-images.ts'
import type { LsFlags } from '../commands/ls.ts'
import type { CliContext } from '../context.ts'
import { openPlacedImage } from '../images/open-place.ts'
import { openCliRegistries } from '../open-registries.ts'
import { withStore } from '../store-root.ts'
import { renderJsonLines } from '../table.ts'
import { oneLine } from '../text-width.ts'

/** `slipway ls`: files of an image as its layers amount to. */
export async function lsCommand(
  wanted: { readonly image: string; readonly path: string },
  flags: LsFlags,
  context: CliContext,
): Promise<number> {
  const show = async (image: ReadableImage): Promise<number> => {
    const layers = []
    for (const layer of image.layers) layers.push(await layer.entries())
    const tree = mergeLayers(layers)
    const entries = listed(tree, resolved(tree, wanted), flags)
    const { stdout } = context
    if (flags.format === 'json') stdout.write(renderJsonLines(entries.map(asJson)))
    else stdout.write(entries.map(entry => `${flags.long ? longLine(entry) : oneLine(`/${entry.path}`)}\n`).join(''))
    return 0
  }
  const place = parseImagePlace(wanted.image)
  if (place.kind === 'registry') return withRemote(place, { flags, context }, show)
  return withImages([wanted.image], { options: flags, context }, async ({ open }) => show(await open(wanted.image)))
}

/** Layers are downloaded one after the other and forgotten: the store does not get them. */
async function withRemote(
  place: Extract<ImagePlace, { kind: 'registry' }>,
  { flags, context }: { readonly flags: LsFlags; readonly context: CliContext },
  work: (image: ReadableImage) => Promise<number>,
): Promise<number> {
  return withStore(context, async store => {
    await using connected = openCliRegistries(flags, context)
    const tools = { registries: connected.registries, temporary: (name: string) => store.temporary(name), context }
    await using placed = await openPlacedImage(place, tools, flags.platform)
    const scratch = await store.temporary('image')
    await mkdir(scratch)
    const { signal } = context.interrupts
    return await work(await archivedImage(placed.image, place.text, { store, scratch, signal }))
  })
}

/** Links of directories on the way are followed, and that at the end where it leads to a directory. */
function resolved(tree: MergedTree, { image, path }: { readonly image: string; readonly path: string }): string {
  const wanted = cleanPath(path)
  const found = lookup(tree, wanted)
  if (found.entry?.type === 'directory' || wanted === '') return found.path
  const kept = lookup(tree, wanted, { final: 'keep' })
  if (kept.entry !== undefined) return kept.path
  const { parent, name } = splitPath(wanted)
  const near = nearest(name, [...tree.list(lookup(tree, parent).path)])
  throw new UserError(`${image} has no ${JSON.stringify(`/${wanted}`)}`, {
    hint: near === undefined ? 'look into the directories above it' : `did you mean "/${joinPath(parent, near)}"?`,
  })
}

function listed(tree: MergedTree, path: string, { recursive }: LsFlags): readonly Entry[] {
  if (recursive) return [...tree.walk(path)].filter(entry => entry.path !== '')
  const own = tree.get(path)
  if (own !== undefined && own.type !== 'directory') return [own]
  return tree.list(path).flatMap(name => tree.get(joinPath(path, name)) ?? [])
}

const letters: Readonly<Partial<Record<Entry['type'], string>>> = {
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  char: 'c',
  block: 'b',
}

/** As `ls -l` and `tar -tv` have it; times are UTC. */
function longLine(entry: Entry): string {
  const size = entry.type === 'file' ? entry.size : 0
  const owner = `${entry.uid}:${entry.gid}`
  const time = new Date(entry.mtime.seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const link = entry.type === 'symlink' ? ` -> ${entry.link ?? ''}` : ''
  return `${letters[entry.type] ?? '-'}${modeText(entry.mode)} ${owner.padEnd(11)} ${String(size).padStart(11)} ${time} ${oneLine(`/${entry.path}${link}`)}`
}

function modeText(mode: number): string {
  const bits = Array.from('rwxrwxrwx', (letter, i) => (mode & (0o400 >> i) ? letter : '-'))
  const special = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ] as const
  for (const [bit, at, letter] of special) {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase()
  }
  return bits.join('')
}

function asJson(entry: Entry): object {
  const { path, type, mode, uid, gid, size, mtime, link } = entry
  return {
    path: `/${path}`,
    type,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    size: type === 'file' ? size : 0,
    mtime: new Date(mtime.seconds * 1000).toISOString(),
    ...(link !== undefined && { link }),
  }
}
