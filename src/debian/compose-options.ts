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
   * An existing empty directory; becomes the root file system, or holds the contents of a minimal base's entries. The caller
   * removes it after an error.
   */
  readonly target: string
  /** An existing directory for temporary files; everything of this run is removed in the end. */
  readonly scratch: string
  /** The architecture to make, of those that the base file lists; default: this machine's. */
  readonly architecture?: NamedArchitecture
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

/** A root file system that is complete, and what an image of it says. */
export interface ComposedBase {
  readonly system: ComposedSystem
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
