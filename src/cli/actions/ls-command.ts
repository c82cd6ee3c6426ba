import { nearest, UserError } from '#diagnostics'
import { cleanPath, type Entry, joinPath, lookup, mergeLayers, type MergedTree, splitPath } from '#tree'
import { withImages } from '../images/open-images.ts'
import type { LsFlags } from '../commands/ls.ts'
import type { CliContext } from '../context.ts'
import { renderJsonLines } from '../table.ts'
import { oneLine } from '../text-width.ts'

/** `slipway ls`: files of an image as its layers amount to. What a registry sends is forgotten: the store does not get it. */
export async function lsCommand(
  wanted: { readonly image: string; readonly path: string },
  flags: LsFlags,
  context: CliContext,
): Promise<number> {
  return withImages([wanted.image], { options: flags, context }, async ({ open }) => {
    const image = await (await open(wanted.image)).readable({ keep: false })
    const layers = []
    for (const layer of image.layers) layers.push(await layer.entries())
    const tree = mergeLayers(layers)
    const entries = listed(tree, resolved(tree, wanted), flags)
    const { stdout } = context
    if (flags.format === 'json') stdout.write(renderJsonLines(entries.map(asJson)))
    else stdout.write(entries.map(entry => `${flags.long ? longLine(entry) : oneLine(`/${entry.path}`)}\n`).join(''))
    return 0
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
