import { chainOf, findImage } from '#build'
import { UserError } from '#diagnostics'
import {
  type Digest,
  familiarReference,
  formatPlatform,
  formatReference,
  parseReference,
  type Platform,
  platformMatches,
  type Reference,
} from '#oci'
import type { Store } from '#store'
import type { PushFlags } from '../commands/push.ts'
import type { CliContext } from '../context.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { openCliRegistries } from '../open-registries.ts'
import { compressionOf } from '../options/compression.ts'
import { pulledAs, withPlatforms } from '../images/stored-image.ts'
import { idCounter } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { pushedImage } from '../streams/pushed-image.ts'
import { type PushedName, pushToRegistries } from '../streams/push-to-registry.ts'
import { checkSecrets } from '../scan/check-secrets.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway push`. */
export async function pushCommand(names: readonly string[], flags: PushFlags, context: CliContext): Promise<number> {
  const packing = compressionOf(flags)
  const unpacked = await withStore(context, async store => {
    const groups = await wanted(store, names, flags)
    return groups.some(({ ids }) => ids.some(id => isUnpacked(chainOfId(store, id))))
  })
  const inner = await enterNamespace(context, unpacked)
  if (inner !== undefined) return inner
  const mode = flags.quiet ? 'quiet' : flags.progress
  const lines = await withStore(
    context,
    async store => {
      await using open = openCliRegistries(flags, context)
      const { registries } = open
      const groups = await wanted(store, names, flags)
      const ids = [...new Set(groups.flatMap(group => group.ids))]
      await checkSecrets(store, ids, { mode: flags.secrets, context })
      return await withProgress(mode, context, async progress => {
        const teller = { progress, nextId: idCounter(), now: context.now }
        const pushed: PushedName[] = []
        for (const { ids, references } of groups) {
          const images = []
          for (const id of ids) images.push(await pushedImage(store, { id, chain: chainOfId(store, id) }))
          const group = ids.length > 1 ? { group: {} } : {}
          pushed.push(
            ...(await pushToRegistries({ store, registries, images, references, packing, teller, ...group }, context)),
          )
        }
        await writeDigest(pushed, flags, context)
        return pushed.map(({ reference, manifest }) => lineFor(reference, manifest.digest))
      })
    },
    flags,
  )
  context.stdout.write(lines.join(''))
  return 0
}

function lineFor({ domain, path, tag }: Reference, digest: Digest): string {
  return `${formatReference({ domain, path, ...(tag !== undefined && { tag }), digest })}\n`
}

async function writeDigest(
  pushed: readonly PushedName[],
  { digestFile }: PushFlags,
  context: CliContext,
): Promise<void> {
  if (digestFile === undefined) return
  const digests = new Set(pushed.map(({ manifest }) => manifest.digest))
  await writeFileWhole(digestFile, [...digests].map(digest => `${digest}\n`).join(''), context)
}

/** Images that are pushed together, and as what. */
interface Wanted {
  /** One for each platform. */
  readonly ids: readonly Digest[]
  readonly references: readonly Reference[]
}

/** Names of the same image in one go, so that nothing is asked for twice. */
async function wanted(store: Store, names: readonly string[], flags: PushFlags): Promise<readonly Wanted[]> {
  const { platform: platforms = [], allTags } = flags
  const groups = new Map<string, Wanted & { readonly references: Reference[] }>()
  for (const name of names) {
    for (const reference of allTags ? tagsOf(store, name) : [named(name)]) {
      const ids =
        platforms.length === 0
          ? [findImage(store, familiarReference(reference)).id]
          : await idsFor(store, reference, platforms)
      const known = groups.get(ids.join()) ?? { ids, references: [] }
      known.references.push(reference)
      groups.set(ids.join(), known)
    }
  }
  return [...groups.values()]
}

function named(name: string): Reference {
  const reference = parseReference(name)
  if (reference.digest === undefined) return reference
  throw usageError(`${name}: a digest is what pushing gives`, 'name a tag')
}

function tagsOf(store: Store, name: string): readonly Reference[] {
  const { domain, path } = parseReference(name)
  if (/[:@]/.test(name.slice(name.lastIndexOf('/') + 1))) {
    throw usageError(`--all-tags ${name}: that is one image`, 'name the repository, without a tag')
  }
  const found = store.images
    .all()
    .flatMap(image => image.tags.map(parseReference))
    .filter(reference => reference.domain === domain && reference.path === path)
  if (found.length > 0) return found
  throw new UserError(`the store has no image with a tag of ${familiarReference({ domain, path })}`, {
    hint: '"slipway images" lists what is there; "slipway tag" gives a name',
  })
}

/** The images that a name means for platforms: the named one, or what was pulled by that name. */
async function idsFor(store: Store, reference: Reference, platforms: readonly Platform[]): Promise<readonly Digest[]> {
  const known = store.images.resolve(reference)
  const ids = [...(known ? [known.id] : []), ...pulledAs(store, familiarReference(reference))]
  const candidates = await withPlatforms(store, ids)
  return platforms.map(platform => {
    const found = candidates.find(each => platformMatches(each.platform, platform))
    if (found !== undefined) return found.id
    const there = [...new Set(candidates.map(each => formatPlatform(each.platform)))]
    throw new UserError(`${familiarReference(reference)} is not in the store for ${formatPlatform(platform)}`, {
      hint:
        there.length === 0
          ? 'push several platforms while they are built: slipway build --platform … --push'
          : `it is there for ${there.join(', ')}; push several platforms while they are built: slipway build --push`,
    })
  })
}

function chainOfId(store: Store, id: Digest) {
  const image = store.images.get(id)
  if (image === undefined) throw new Error(`image ${id} is in the store`)
  return chainOf(store, image)
}
