import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hasImage } from '#build'
import { UserError } from '#diagnostics'
import { type ImagePlace, parseImagePlace } from '#image'
import { decompress, sniffCompression, sniffSize } from '#layer'
import { parseReference } from '#oci'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'

/** What a command that reads an image was told to read. */
export type NamedPlace =
  | ImagePlace
  /** A path without a word about what lies there: a layout, or an archive of either kind. */
  | { readonly text: string; readonly kind: 'path'; readonly path: string; readonly choice?: string }
  /** A stage of a Dockerfile, by name. */
  | { readonly text: string; readonly kind: 'stage'; readonly stage: string }

/** Where a name is looked for. */
interface NameSources {
  readonly store: Store
  readonly context: Pick<CliContext, 'directory'>
}

/**
 * What a name means, the same for every command that reads an image: `docker://NAME`, `oci:DIR[:TAG|@DIGEST]` (also `oci-layout:`),
 * `oci-archive:FILE[:TAG|@DIGEST]`, `docker-archive:FILE[:NAME]`, `store:NAME`, `stage:NAME`; a path that begins with `/`, `./` or `../`;
 * else a name or id of the store, then a file or directory that holds an image, then a name with a registry's host. Throws a
 * `UserError` for a scheme that is none.
 */
export async function namedPlace(text: string, sources: NameSources): Promise<NamedPlace> {
  const { directory } = sources.context
  const stage = /^stage:(.+)$/.exec(text)?.[1]
  if (stage !== undefined) return { text, kind: 'stage', stage }
  const place = parseImagePlace(text)
  if (place.kind !== 'store') return wholePath(place, directory)
  if (place.name !== text) return place
  if (isExplicitPath(text)) return pathPlace(text, directory)
  const isHere = isInStore(sources.store, text)
  if (await isPath(text, { isHere, directory })) return pathPlace(text, directory)
  // Without a host, a mistyped name would be asked for in public.
  const hasHost = /^[^/]*[.:][^/]*\//.test(text) || text.startsWith('localhost/')
  return hasHost && !isHere ? { text, kind: 'registry', reference: parseReference(text) } : place
}

/** Whether the store has an image of that name or id; what can be no name is none. */
export function isInStore(store: Store, name: string): boolean {
  try {
    return hasImage(store, name)
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
}

/** Whether a word that may be a name is meant as that of a file or directory. */
async function isPath(
  text: string,
  { isHere, directory }: { readonly isHere: boolean; readonly directory: string },
): Promise<boolean> {
  const { path } = pathPlace(text, directory)
  const whole = resolve(directory, path)
  if (/\.(tar|tgz|oci)(\.\w+)?$/.test(path)) return existsSync(whole) || (!isHere && path === text)
  return !isHere && path === text && (await holdsImage(whole))
}

/** What can be no name of an image. */
function isExplicitPath(text: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$|~)/.test(text)
}

/** A colon may be part of a file's name. */
function wholePath(place: Exclude<ImagePlace, { kind: 'store' }>, directory: string): ImagePlace {
  if (place.kind === 'registry') return place
  const path = place.text.replace(/^[a-z-]+:(?:\/\/(?=.))?/, '')
  const { text, kind } = place
  return path !== place.path && existsSync(resolve(directory, path)) ? { text, kind, path } : place
}

function pathPlace(text: string, directory: string): Extract<NamedPlace, { kind: 'path' }> {
  const [, path, choice] = /^(.+?)[:@]([^/]+)$/.exec(text) ?? []
  if (path === undefined || choice === undefined || existsSync(resolve(directory, text))) {
    return { text, kind: 'path', path: text }
  }
  return { text, kind: 'path', path, choice }
}

/** Whether a path is an OCI layout, or a file that begins like the archive of an image, compressed or not. */
export async function holdsImage(path: string): Promise<boolean> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return existsSync(join(path, 'index.json')) && existsSync(join(path, 'oci-layout'))
  if (!found?.isFile()) return false
  const start = await firstBlock(path)
  const name = start.toString('latin1', 0, 100).split('\0', 1)[0] ?? ''
  return (
    start.toString('latin1', 257, 262) === 'ustar' &&
    /^(?:\.\/)?(?:blobs|oci-layout|index\.json|manifest\.json|[0-9a-f]{64}|repositories)/.test(name)
  )
}

const blockSize = 512

/** The first header of an archive, however it is compressed; less where the file is shorter, or no archive. */
async function firstBlock(path: string): Promise<Buffer> {
  const start = Buffer.alloc(Math.max(blockSize, sniffSize))
  const file = openSync(path, 'r')
  try {
    readSync(file, start, 0, start.length, 0)
  } finally {
    closeSync(file)
  }
  if (sniffCompression(start.subarray(0, sniffSize)) === 'none') return start
  let block = Buffer.alloc(0)
  try {
    for await (const part of decompress(createReadStream(path), { name: path })) {
      block = Buffer.concat([block, part.subarray(0, blockSize)])
      if (block.length >= blockSize) break
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
  }
  return block
}
