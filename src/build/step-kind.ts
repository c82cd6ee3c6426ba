import type { ProgressEvent, WarningSink } from '#diagnostics'
import type { ContentSink } from '#layer'
import type { HostTools, ResourceLimit } from '#linux'
import type { Digest, Platform } from '#oci'
import type { CopyStep, SourceRef, StagePlan } from '#plan'
import type { Chain } from '#rootfs'
import type { Remote, Selectable } from '#sources'
import { type CacheInputs, cacheKey, type NewLayer, type Store } from '#store'
import type { MergedTree } from '#tree'

/** One way to find a step's result again. */
export interface CacheKey {
  readonly key: string
  /** What the key was made of, for explanations; never a secret's value. */
  readonly inputs: CacheInputs
  /** The part of the key that does not depend on contents. */
  readonly family?: string
  /** What digests among the inputs stand for, file by file; asked for where nobody kept it yet. */
  readonly listings?: readonly { readonly digest: Digest; readonly text: () => string }[]
}

/** What a step made, before it has an id. */
export type MadeLayer = Omit<NewLayer, 'id' | 'parent'>

/** A file tree that a step takes from: contexts, stages and images alike. */
export interface SourceTree {
  /** Identity of the whole by content, where it has one (a chain of layers); a directory of the user has none. */
  readonly identity?: string
  /** How messages call it. */
  readonly where: string
  open(): Promise<Selectable>
}

/** A secret of the command line. */
export interface SecretSource {
  read(): Promise<Uint8Array>
}

/** An ssh agent of the command line. */
export interface SshSource {
  /** Path of its socket; an agent that has to be started is started by the first who asks. */
  socket(): Promise<string>
}

/** What the command line says about every RUN (section 11.8 of the language page). */
export interface RunSettings {
  /** Lines of `/etc/hosts` beside the sandbox's own. The names are part of the cache key, the addresses are not. */
  readonly extraHosts: readonly { readonly name: string; readonly address: string }[]
  /** Bytes of `/dev/shm`. */
  readonly shmSize?: number
  /** Agents for `--mount=type=ssh`, by id. */
  readonly ssh?: ReadonlyMap<string, SshSource>
  readonly ulimits?: readonly ResourceLimit[]
}

/** What a step may use. */
export interface StepInputs {
  readonly store: Store
  readonly stage: StagePlan
  readonly parent: Chain
  readonly platform: Platform
  /** The parent as one tree. */
  readonly parentTree: () => Promise<MergedTree>
  readonly source: (ref: SourceRef) => Promise<SourceTree>
  /** URLs and git repositories. */
  readonly remote: Remote
  readonly host: () => HostTools
  readonly secrets: ReadonlyMap<string, SecretSource>
  readonly runs: RunSettings
  /**
   * Writes what a cache of somebody has for a cache mount into a directory that does not exist yet; false when it has nothing.
   */
  readonly mountContents?: (
    mount: { readonly id: string; readonly namespace?: string },
    directory: string,
  ) => Promise<boolean>
  /** Who wants to see what a COPY or ADD brings while its layer is made; nobody when it was made before. */
  readonly contentSink?: (step: CopyStep) => Promise<ContentSink | undefined>
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly warn: WarningSink
  /** False when the step is to be made anew, whatever was recorded. */
  readonly mayHit: boolean
  readonly report: (event: ActivityEvent) => void
}

/** Events of the step's own activity. */
export type ActivityEvent =
  | { readonly kind: 'log'; readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }
  | Pick<Extract<ProgressEvent, { kind: 'transfer' }>, 'kind' | 'label' | 'done' | 'total'>
  | Pick<Extract<ProgressEvent, { kind: 'cache' }>, 'kind' | 'hit' | 'reasons'>
  | Pick<Extract<ProgressEvent, { kind: 'span' }>, 'kind' | 'name' | 'began' | 'waitsFor'>

/** A kind of step answers two questions about a step: what are its cache keys, and what is its layer? */
export type StepKind<S> = (step: S, inputs: StepInputs) => StepWork

export interface StepWork {
  /** Cheapest first; a later key may need to read what the step reads. */
  cacheKeys(): AsyncIterable<CacheKey>
  /** Called once, when no key hit. */
  makeLayer(): Promise<MadeLayer>
  /** Keys that only the making could tell. */
  lateKeys?(): readonly CacheKey[]
}

/**
 * Identity of a chain: its topmost layer's id, which was made from what lies below. A layer that was made without a look
 * below (--link) says nothing about that, so there both count.
 */
export function identityOf(chain: Chain): string {
  let identity = 'scratch'
  for (const [i, layer] of chain.entries())
    identity =
      i === 0 || layer.parent !== undefined ? layer.id : cacheKey('linked', { below: identity, layer: layer.id })
  return identity
}

/** The time of the layer below, for what a step has to create: the same inputs give the same bytes. Seconds. */
export function inheritedTime(chain: Chain): number {
  return Math.floor(Date.parse(chain.at(-1)?.created ?? '1970-01-01T00:00:00Z') / 1000)
}
