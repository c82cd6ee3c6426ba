import type { ProgressEvent, ProgressSink, Warning } from '#diagnostics'
import type { ContainerConfig, Platform } from '#oci'
import type { Entry } from '#tree'
import type { NamedArchitecture } from './base-spec.ts'
import type { BaseLock, LockedSystem } from './lock/base-lock.ts'
import type { OmittedDependency } from './minimal/omissions.ts'

/** What finding the packages of a base needs from the outside. */
export interface ResolveOptions {
  /** Packages and indexes by digest; made where it does not exist. May be shared between processes. */
  readonly cacheDirectory: string
  /** Where relative paths of the base file start: its directory. */
  readonly directory: string
  /** Environment: SLIPWAY_DEBIAN_MIRROR, PATH, proxies and certificate authorities. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Which packages to take; absent: as the repositories are now. */
  readonly lock?: BaseLock
  /** The file system with the host's apt configuration and keyrings; default `/`. */
  readonly hostRoot?: string
  /** Default: nobody watches. */
  readonly progress?: ProgressSink
  /** Gives ids for activities; default: counted from 1. */
  readonly nextId?: () => number
  readonly signal?: AbortSignal
}

/** What composing a base needs from the outside. */
export interface ComposeOptions extends ResolveOptions {
  /**
   * An existing empty directory; becomes the root file system, or holds the contents of entries. The caller removes it after an
   * error. A function is told how many bytes the packages say they need.
   */
  readonly target: string | ((bytes: number) => Promise<ComposePlace>)
  /** An existing directory for temporary files; everything of this run is removed in the end. */
  readonly scratch: string
  /** The architecture to make, of those that the base file lists; default: this machine's. */
  readonly architecture?: NamedArchitecture
  /** What was composed before, so that it need not be again; default: nothing is remembered. */
  readonly memory?: BaseMemory
}

/** Where a base is composed. */
export interface ComposePlace {
  readonly path: string
  /** Gone soon, as what is in main memory: the result is given as entries, to be packed at once. */
  readonly isPassing: boolean
}

/** Bases by what they follow from. */
export interface BaseMemory {
  /** Which program composes: what another one made does not count. */
  readonly composer: string
  /** `key`: 64 hexadecimal digits. */
  recall(key: string): RememberedBase | undefined
}

/** A base that was composed before. */
export interface RememberedBase extends Pick<ComposedBase, 'omitted' | 'warnings'> {
  /** What it is known by where it is kept. */
  readonly name: string
}

/** Where the files of a base are. */
export type ComposedSystem =
  /** On disk: the directory given as target. */
  | { readonly kind: 'directory'; readonly path: string }
  /** Entries whose contents are read from files in the target. */
  | {
      readonly kind: 'entries'
      readonly entries: readonly Entry[]
      /** The package that a path belongs with. */
      readonly owner: (path: string) => string | undefined
    }
  /** Nothing was composed: it is what `memory` gave. */
  | { readonly kind: 'remembered'; readonly name: string }

/** A root file system that is complete, and what an image of it says. */
export interface ComposedBase {
  readonly system: ComposedSystem
  /** What `memory` will be asked for when the same is wanted again; undefined without one, or where a file changed meanwhile. */
  readonly key: string | undefined
  /** Its packages, as a lock has them. */
  readonly locked: LockedSystem
  /** Dependencies that a minimal base does not follow, as `package: relation`. */
  readonly omitted: readonly OmittedDependency[]
  readonly warnings: readonly Warning[]
  readonly platform: Platform
  /** In Debian's words. */
  readonly architecture: string
  readonly config: ContainerConfig
  /** When the youngest of its repositories was published, in milliseconds since 1970: no file is younger. */
  readonly created: number
}

/** Tells the progress of one run. */
export interface Reporter {
  /** One activity from begin to end. */
  activity<T>(text: string, work: (activity: Activity) => Promise<T>): Promise<T>
  warn(warning: Warning): void
  readonly warnings: readonly Warning[]
}

export interface Activity {
  transfer(label: string, done: number, total: number): void
  log(stream: 'stdout' | 'stderr', data: Uint8Array): void
  /** What it did was already there. */
  cached(): void
}

/** Milliseconds between two events of one transfer. */
const transferInterval = 100

type WithoutTime<E> = E extends ProgressEvent ? Omit<E, 'time'> : never

/** Turns work into events for `options.progress`. */
export function createReporter({ progress, nextId }: Pick<ComposeOptions, 'progress' | 'nextId'>): Reporter {
  const warnings: Warning[] = []
  let count = 0
  const tell = (event: WithoutTime<ProgressEvent>): void => progress?.({ ...event, time: Date.now() })
  return {
    warnings,
    warn(warning) {
      warnings.push(warning)
      tell({ kind: 'warning', warning })
    },
    async activity(text, work) {
      const id = nextId?.() ?? ++count
      let isCached = false
      const told = new Map<string, number>()
      tell({ kind: 'begin', id, text })
      try {
        const result = await work({
          cached: () => {
            isCached = true
          },
          log: (stream, data) => tell({ kind: 'log', id, stream, data }),
          transfer(label, done, total) {
            if (done < total && Date.now() - (told.get(label) ?? 0) < transferInterval) return
            told.set(label, Date.now())
            tell({ kind: 'transfer', id, label, done, total })
          },
        })
        tell({ kind: 'done', id, cached: isCached })
        return result
      } catch (error) {
        tell({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) })
        throw error
      }
    },
  }
}
