import type { RunMount, RunStep } from '#plan'
import { contentOf, digestSelection, isListable, listSelection } from '#tree'
import { learnContents } from './contents.ts'
import { selectMount } from './bound-files.ts'
import type { CacheKey, StepInputs } from './step-kind.ts'

/** How a bind mount of a stage counts: by the stage's identity, which is cheap, or by the content that is mounted. */
export type BindAspect = 'identity' | 'content'

export interface MountKeys {
  readonly mounts: readonly unknown[]
  readonly listings: NonNullable<CacheKey['listings']>
}

/** Whether a RUN sees files of another stage: the same ones may come out of a stage that was made anew. */
export function bindsStages(step: RunStep): boolean {
  return step.mounts.some(mount => mount.type === 'bind' && mount.from.kind === 'stage')
}

/**
 * What of a RUN's mounts decides about its result (section 16.5 of the language page): the content of bind mounts; of
 * caches only where they are; of secrets everything but the value.
 */
export async function mountKeys(step: RunStep, inputs: StepInputs, by: BindAspect): Promise<MountKeys> {
  const keys = await Promise.all(step.mounts.map(async mount => mountKey(mount, inputs, by)))
  return { mounts: keys.map(({ key }) => key), listings: keys.flatMap(({ listing }) => (listing ? [listing] : [])) }
}

/** The part of the key that does not depend on what is mounted. */
export function mountFamily(step: RunStep): readonly unknown[] {
  return step.mounts.map(mount => (mount.type === 'bind' ? bindKey(mount, null) : plainKey(mount)))
}

type Bind = Extract<RunMount, { type: 'bind' }>
type Listing = MountKeys['listings'][number]

interface MountKey {
  readonly key: unknown
  readonly listing?: Listing
}

async function mountKey(mount: RunMount, inputs: StepInputs, by: BindAspect): Promise<MountKey> {
  // A stage that a cache starts with may need the same locks: it is built before any is held.
  if (mount.type === 'cache' && mount.from) await inputs.source(mount.from)
  if (mount.type !== 'bind') return { key: plainKey(mount) }
  const source = await inputs.source(mount.from)
  if (source.identity !== undefined && (by === 'identity' || mount.from.kind !== 'stage'))
    return { key: bindKey(mount, { chain: source.identity, source: mount.source }) }
  const { digest, text } = await boundContent(mount, inputs)
  return { key: bindKey(mount, digest), ...(text && { listing: { digest, text } }) }
}

function bindKey(mount: Bind, content: unknown): unknown {
  return { type: 'bind', target: mount.target, writable: mount.writable, content }
}

function plainKey(mount: Exclude<RunMount, Bind>): unknown {
  switch (mount.type) {
    case 'cache':
      return {
        type: 'cache',
        target: mount.target,
        readonly: mount.readonly,
        ...(mount.idGiven ? {} : { id: mount.id }),
      }
    case 'tmpfs':
      return { type: 'tmpfs', target: mount.target, size: mount.size ?? null }
    case 'secret':
      return {
        type: 'secret',
        id: mount.id,
        target: mount.target ?? null,
        env: mount.env ?? null,
        mode: mount.mode,
        uid: mount.uid,
        gid: mount.gid,
      }
    case 'ssh':
      return {
        type: 'ssh',
        id: mount.id,
        target: mount.target ?? null,
        mode: mount.mode,
        uid: mount.uid,
        gid: mount.gid,
      }
  }
}

async function boundContent(mount: Bind, inputs: StepInputs): Promise<Partial<Listing> & Pick<Listing, 'digest'>> {
  const { tree, item } = await selectMount(mount, inputs)
  await learnContents([item], inputs.signal)
  for (const entry of item.entries) {
    const content = entry.type === 'file' ? contentOf(entry) : undefined
    if (content !== undefined) tree.learnContent(entry, content)
  }
  // What it is called at its source reaches no command.
  const items = [{ ...item, name: '' }]
  const aspects = { mode: true, owner: true, top: true }
  const digest = digestSelection(items, aspects)
  return isListable(items) ? { digest, text: () => listSelection(items, aspects) } : { digest }
}
