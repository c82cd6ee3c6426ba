import { chainOf, fetchReport, obtainImage } from '#build'
import { UserError } from '#diagnostics'
import {
  type Digest,
  familiarReference,
  formatPlatform,
  formatReference,
  hostPlatform,
  type Platform,
  type Reference,
} from '#oci'
import { fetchedChain } from '#rootfs'
import type { Store } from '#store'
import type { PullFlags } from '../commands/pull.ts'
import type { CliContext } from '../context.ts'
import { openCliRegistries } from '../open-registries.ts'
import { parseReferences } from '../options/references.ts'
import { type ActivityTeller, idCounter, tellActivity } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { usageError } from '../usage-error.ts'

/** `slipway pull`: asks the registry even where the store has the name, and brings all layers. */
export async function pullCommand(names: readonly string[], flags: PullFlags, context: CliContext): Promise<number> {
  const references = flags.allTags ? await everyTag(names, flags, context) : parseReferences(names)
  const mode = flags.quiet ? 'quiet' : flags.progress
  const platforms = flags.platform ?? [hostPlatform()]
  return withStore(
    context,
    async store => {
      const lines: string[] = []
      await withProgress(mode, context, async progress => {
        const teller = { progress, nextId: idCounter(), now: context.now }
        for (const reference of references) {
          for (const platform of platforms) {
            const pulled = await pullImage(
              store,
              { reference, platform, always: true, several: platforms.length > 1 },
              { teller, context },
            )
            if (!flags.quiet) lines.push(...statusLines(pulled, reference))
          }
          lines.push(`${formatReference(reference)}\n`)
        }
      })
      context.stdout.write(lines.join(''))
      return 0
    },
    flags,
  )
}

/** All tags of repositories, as their registries list them. Throws a `UserError` for a repository without any. */
async function everyTag(
  names: readonly string[],
  flags: PullFlags,
  context: CliContext,
): Promise<readonly Reference[]> {
  const repositories = parseReferences(names)
  for (const name of names) {
    if (!/[:@]/.test(name.slice(name.lastIndexOf('/') + 1))) continue
    throw usageError(`--all-tags ${name}: that is one image`, 'name the repository, without a tag')
  }
  await using open = openCliRegistries(flags, context)
  const found: Reference[] = []
  for (const { domain, path } of repositories) {
    const tags = await open.registries.repository({ domain, path }).tags()
    if (tags.length === 0) {
      throw new UserError(`${domain} has no tag of ${path}`, { hint: 'check the name of the repository' })
    }
    found.push(...tags.map(tag => ({ domain, path, tag })))
  }
  return found
}

/** What to pull. */
export interface Pulling {
  readonly reference: Reference
  readonly platform: Platform
  /** Ask the registry even where the store has the name. */
  readonly always: boolean
  /** Several platforms are pulled: messages name them. */
  readonly several?: boolean
}

/** What came of it. */
export interface Pulled {
  /** Digest of its configuration. */
  readonly id: Digest
  readonly digest?: string
  /** Something was downloaded that was not there. */
  readonly isNew: boolean
}

/** Brings an image with all its layers into the store. Throws a `UserError` when it cannot be had. */
export async function pullImage(
  store: Store,
  { reference, platform, always, several }: Pulling,
  { teller, context }: { readonly teller: ActivityTeller; readonly context: CliContext },
): Promise<Pulled> {
  const { signal } = context.interrupts
  const before = new Set(store.images.all().map(({ id }) => id))
  const tell = <T>(text: string, work: () => Promise<T>): Promise<T> => tellActivity(teller, text, work)
  const { id, digest } = await obtainImage({ store, always, tell }, reference, platform)
  const image = store.images.get(id)
  if (!image) throw new Error('an image that was obtained is in the store')
  const name = `${familiarReference(reference)}${several ? ` for ${formatPlatform(platform)}` : ''}`
  const chain = chainOf(store, image)
  let fetched = false
  await tellActivity(teller, `pulling ${name}`, report =>
    fetchedChain(store, chain, {
      signal,
      onFetch: fetchReport(({ label, done, total }) => {
        fetched = true
        report(label, done, total)
      }),
    }),
  )
  return { id, ...(digest !== undefined && { digest }), isNew: fetched || !before.has(id) }
}

/** As docker says it. */
function statusLines({ digest, isNew }: Pulled, reference: Reference): string[] {
  const name = familiarReference(reference)
  return [
    ...(digest === undefined ? [] : [`Digest: ${digest}\n`]),
    `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}\n`,
  ]
}
