import { chainOf, findImage } from '#build'
import { UserError } from '#diagnostics'
import {
  collectManifests,
  copyContent,
  type ImagePlace,
  openLayoutRepository,
  parseImagePlace,
  writeContentArchive,
} from '#image'
import { type Digest, familiarReference, hostPlatform, type Reference } from '#oci'
import type { Store } from '#store'
import { resolve } from 'node:path'
import type { CopyFlags } from '../commands/copy.ts'
import type { CliContext } from '../context.ts'
import { convertImage } from '../images/convert-image.ts'
import {
  hasManifests,
  type ManifestPlace,
  openManifests,
  type OpenManifests,
  type PlaceTools,
} from '../images/open-place.ts'
import { enterNamespace, isUnpacked } from '../namespace.ts'
import { openCliRegistries } from '../open-registries.ts'
import { compressionOf } from '../options/compression.ts'
import { idCounter, tellActivity, type TransferReport } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { openDestination, writeStream } from '../streams/open-destination.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway copy`: as they are where both ends have manifests, else as a new manifest for the same layers. */
export async function copyCommand(
  names: { readonly source: string; readonly destination: string },
  flags: CopyFlags,
  context: CliContext,
): Promise<number> {
  const [source, destination] = [parseImagePlace(names.source), parseImagePlace(names.destination)]
  check(source, destination, flags)
  const unpacked =
    source.kind === 'store' &&
    (await withStore(context, async store => isUnpacked(chainOf(store, findImage(store, source.name)))))
  const inner = await enterNamespace(context, unpacked)
  if (inner !== undefined) return inner
  const digest = await withStore(
    context,
    async store => {
      await using open = openCliRegistries(flags, context)
      const tools = { registries: open.registries, temporary: (name: string) => store.temporary(name), context }
      return await withProgress(flags.quiet ? 'quiet' : flags.progress, context, progress => {
        const teller = { progress, nextId: idCounter(), now: context.now }
        return tellActivity(teller, `copying ${source.text} to ${destination.text}`, report =>
          copyImage({ source, destination, flags, store, tools, report }),
        )
      })
    },
    flags,
  )
  if (flags.digestFile !== undefined) await writeFileWhole(flags.digestFile, `${digest}\n`, context)
  context.stdout.write(`${digest}\n`)
  return 0
}

function check(source: ImagePlace, destination: ImagePlace, flags: CopyFlags): void {
  const platforms = flags.platform ?? []
  if (platforms.length > 1)
    throw usageError('--platform names more than one', 'write --all, or copy one after the other')
  if (flags.all && platforms.length > 0) throw usageError('--all and --platform exclude each other', 'leave one out')
  const asIs = hasManifests(source) && hasManifests(destination)
  if (!asIs && flags.all) {
    throw usageError(
      `${source.kind === 'store' || source.kind === 'docker-archive' ? source.text : destination.text} holds one platform`,
      'leave out --all',
    )
  }
  if (!asIs && flags.preserveDigests) {
    throw new UserError('the manifest cannot be kept: one of the two places has none', {
      hint: 'copy between docker://, oci: and oci-archive:',
    })
  }
  if (asIs && (flags.compression ?? flags.compressionLevel ?? flags.forceCompression) !== undefined) {
    throw usageError('layers are copied as they are', 'build or push the image with --compression')
  }
  if (source.kind === 'store' && destination.kind === 'store') {
    throw usageError('both are in the local store', 'give the image one more name with "slipway tag"')
  }
  if (destination.kind !== 'store' && 'choice' in destination && destination.choice?.digest !== undefined) {
    throw usageError(`${destination.text}: a digest is what copying gives`, 'write a tag')
  }
}

/** Everything that a copy needs. */
export interface Copying {
  readonly source: ImagePlace
  readonly destination: ImagePlace
  readonly flags: CopyFlags
  readonly store: Store
  readonly tools: PlaceTools
  readonly report: TransferReport
}

/** Gives the digest of the manifest, or of the configuration where the destination has no manifests. */
async function copyImage(copying: Copying): Promise<Digest> {
  const { source, destination, tools, flags } = copying
  if (!hasManifests(source) || !hasManifests(destination)) {
    return convertImage({ ...copying, packing: compressionOf(flags) })
  }
  await using open = await openManifests(source, tools)
  return await copyAsIs(open, { ...copying, source, destination })
}

async function copyAsIs(
  { source: from, tops, what }: OpenManifests,
  {
    source,
    destination,
    flags,
    tools,
    report,
  }: Copying & { readonly source: ManifestPlace; readonly destination: ManifestPlace },
): Promise<Digest> {
  const { context } = tools
  const [top, ...others] = tops
  if (top === undefined || (others.length > 0 && flags.all)) {
    throw new UserError(`${what} has several images without an index`, { hint: 'name one by its digest' })
  }
  const platform = flags.platform?.[0] ?? hostPlatform()
  const content = await collectManifests(from, top, { what, ...(!flags.all && { platform }) })
  const digest = content.manifests.at(-1)?.descriptor.digest as Digest
  const { signal } = context.interrupts
  if (destination.kind === 'oci-archive') {
    await using file = await openDestination(destination.path, context)
    const tag = destination.choice?.tag
    await writeStream(writeContentArchive(content, { from, ...(tag !== undefined && { tag }) }), file, signal)
    await file.finish()
    return digest
  }
  if (destination.kind === 'layout') {
    const to = openLayoutRepository(resolve(context.directory, destination.path))
    const tag = destination.choice?.tag
    await copyContent(content, { from, to, tags: tag === undefined ? [] : [tag], report, signal })
    return digest
  }
  const { domain, path } = destination.reference
  const within = source.kind === 'registry' && source.reference.domain === domain
  await copyContent(content, {
    from,
    to: tools.registries.repository({ domain, path }),
    tags: tagsFor(destination.reference, digest),
    ...(within && { mountFrom: source.reference.path }),
    report,
    signal,
  })
  return digest
}

/** Where a digest is named as destination, it has to be that of the copy, and there is no tag. */
export function tagsFor(reference: Reference, digest: Digest): readonly string[] {
  if (reference.digest !== undefined && reference.digest !== digest) {
    throw new UserError(`the copy has digest ${digest}, not that of ${familiarReference(reference)}`, {
      hint: 'write a tag, or copy with --all',
    })
  }
  return reference.tag === undefined ? [] : [reference.tag]
}
