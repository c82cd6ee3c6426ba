import { findImage } from '#build'
import { UserError } from '#diagnostics'
import { familiarReference, parseReference, type Reference } from '#oci'
import type { Store } from '#store'
import type { RmiFlags } from '../commands/rmi.ts'
import type { CliContext } from '../context.ts'
import { withStore } from '../store-root.ts'

/**
 * `slipway rmi`: a name is removed, and with its last name the image; an id removes the image. All are looked up before
 * the first is removed.
 */
export async function rmiCommand(names: readonly string[], flags: RmiFlags, context: CliContext): Promise<number> {
  await withStore(context, async store => {
    for (const name of names) requireRemovable(store, name, flags)
    for (const name of names) context.stdout.write(removeImage(store, name))
  })
  return 0
}

function requireRemovable(store: Store, name: string, { force }: RmiFlags): void {
  const image = findImage(store, name)
  const reference = nameOf(store, name)
  const tags = store.images.tagsOf(image.id)
  if (reference || tags.length < 2 || force) return
  throw new UserError(`the image ${JSON.stringify(name)} has several names`, {
    hint: 'remove it by a name, or all of them with --force',
    details: tags,
  })
}

function removeImage(store: Store, name: string): string {
  const image = findImage(store, name)
  const reference = nameOf(store, name)
  const gone = reference ? [familiarReference(reference)] : store.images.tagsOf(image.id)
  if (reference) store.images.untag(reference)
  const lines = gone.map(tag => `Untagged: ${tag}\n`)
  if (reference && store.images.tagsOf(image.id).length > 0) return lines.join('')
  store.images.remove(image.id)
  return `${lines.join('')}Deleted: ${image.id}\n`
}

/** The text as a name of an image; undefined when it is (the beginning of) an id. */
function nameOf(store: Store, text: string): Reference | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return undefined
  const reference = parseReference(text)
  return store.images.resolve(reference) && reference
}
