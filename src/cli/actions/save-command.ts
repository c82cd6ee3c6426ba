import { mkdir } from 'node:fs/promises'
import { chainOf, findImage } from '#build'
import { writeDockerArchive, writeOciArchive } from '#image'
import { parseReference, type Reference } from '#oci'
import type { Store } from '#store'
import type { SaveFlags } from '../commands/save.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { withStore } from '../store-root.ts'
import { exportedImage, type NamedImage } from '../streams/exported-image.ts'
import { openDestination, writeStream } from '../streams/open-destination.ts'

/** `slipway save`. */
export async function saveCommand(names: readonly string[], flags: SaveFlags, context: CliContext): Promise<number> {
  const unpacked = await withStore(context, async store =>
    namedImages(store, names).some(each => isUnpacked(each.chain)),
  )
  const inner = await enterNamespace(context, unpacked)
  if (inner !== undefined) return inner
  return withStore(context, async store => {
    const images = []
    for (const image of namedImages(store, names)) images.push(await exportedImage(store, image))
    await using destination = await openDestination(flags.output ?? '-', context)
    const scratch = await store.temporary('save')
    await mkdir(scratch)
    const bytes = flags.type === 'docker' ? writeDockerArchive(images) : writeOciArchive(images, { scratch })
    await writeStream(bytes, destination, context.interrupts.signal)
    await destination.finish()
    return 0
  })
}

/** Each image once, with the names by which it was asked for; one asked for by its id has none. */
function namedImages(store: Store, names: readonly string[]): NamedImage[] {
  const images = new Map<string, NamedImage & { readonly references: Reference[] }>()
  for (const name of names) {
    const image = findImage(store, name)
    const known = images.get(image.id) ?? { id: image.id, chain: chainOf(store, image), references: [] }
    const reference = /^(sha256:)?[0-9a-f]{64}$/.test(name) ? undefined : parseReference(name)
    if (reference && store.images.resolve(reference)) known.references.push(reference)
    images.set(image.id, known)
  }
  return [...images.values()]
}
