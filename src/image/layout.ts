import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '#diagnostics'
import { lockFile, makeDirectories } from '#linux'
import { type Descriptor, digestHex, parseImageIndex } from '#oci'
import type { ExportedImage } from './exported-image.ts'
import {
  encodeIndex,
  indexEntries,
  type LayoutBlob,
  layoutBlobs,
  type LayoutOptions,
  layoutVersion,
} from './layout-blobs.ts'

export interface LayoutTarget extends Omit<LayoutOptions, 'scratch'> {
  /** Absent, empty, or an OCI layout already, to which the images are added. */
  readonly directory: string
}

const incoming = '.incoming-'
const nameKeys = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'] as const

/**
 * Writes images as an OCI image layout (image-spec, image-layout.md) and returns the descriptors of their manifests.
 * Every blob appears whole; `index.json` comes last, by a rename, and keeps the entries of other names. After an error
 * the layout shows what it showed before; blobs that were finished stay, unmentioned. Throws a `UserError` when the
 * directory holds something else.
 */
export async function writeOciLayout(
  images: readonly ExportedImage[],
  { directory, ...options }: LayoutTarget,
): Promise<readonly Descriptor[]> {
  const blobs = join(directory, 'blobs', 'sha256')
  await refuseOthers(directory)
  makeDirectories(blobs)
  const version = join(directory, 'oci-layout')
  // The lock makes the file, empty; it stays the same file, since a lock on a replaced one would keep nobody out.
  using _ = await lockFile(version, 'exclusive')
  if ((await stat(version)).size === 0) {
    await chmod(version, 0o644)
    await writeFile(version, layoutVersion)
  }
  await removeLeftovers(directory)
  const scratch = join(directory, `${incoming}${randomUUID()}`)
  await mkdir(scratch)
  const pending = layoutBlobs(images, { ...options, scratch })
  try {
    let next = await pending.next()
    for (; next.done !== true; next = await pending.next()) {
      await placeBlob(next.value, join(blobs, digestHex(next.value.digest)), scratch)
    }
    await addToIndex(join(directory, 'index.json'), indexEntries(images, next.value, options.group))
    return next.value
  } finally {
    await pending.return([])
    await rm(scratch, { recursive: true, force: true })
  }
}

/** What a writer that was killed left behind; the lock says that no other is at work. */
async function removeLeftovers(directory: string): Promise<void> {
  const names = await readdir(directory)
  for (const name of names.filter(name => name.startsWith(incoming))) {
    await rm(join(directory, name), { recursive: true, force: true })
  }
}

async function refuseOthers(directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    if (error.code !== 'ENOTDIR') throw error
    throw new UserError(`${directory} is not a directory`, { hint: 'name a directory for the layout' })
  })
  if (found.some(name => !name.startsWith(incoming)) && !found.includes('oci-layout')) {
    throw new UserError(`${directory} is neither empty nor an OCI image layout`, {
      hint: 'name an empty directory, one that does not exist, or a layout',
    })
  }
}

async function placeBlob(blob: LayoutBlob, path: string, scratch: string): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  if (existing?.size === blob.size) return
  const from = blob.file ?? join(scratch, digestHex(blob.digest))
  {
    await using file = await open(from, blob.file === undefined ? 'wx' : 'r+', 0o644)
    if (blob.file === undefined) for await (const bytes of blob.open()) await writeAll(file, bytes)
    await file.datasync()
  }
  await rename(from, path)
}

/** Adds entries to an `index.json`, in place of those of the same names. The caller holds the lock of the layout. */
export async function addToIndex(path: string, added: readonly Descriptor[]): Promise<void> {
  const present = (await exists(path)) ? parseImageIndex(await readFile(path, 'utf8')).manifests : []
  const kept = present.filter(old => !added.some(entry => replaces(entry, old)))
  await writeWhole(path, encodeIndex([...kept, ...added]))
}

/** A name moves to the new image. Without a name an entry is what it points at. */
function replaces(entry: Descriptor, old: Descriptor): boolean {
  const key = nameKeys.find(key => old.annotations?.[key] !== undefined)
  if (key === undefined) return entry.digest === old.digest
  return old.annotations?.[key] === entry.annotations?.[key]
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `${incoming}${randomUUID()}`)
  try {
    await using file = await open(temporary, 'wx', 0o644)
    await writeAll(file, bytes)
    await file.datasync()
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
