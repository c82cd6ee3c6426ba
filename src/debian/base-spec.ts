import type { Place } from '#diagnostics'
import type { Wanted } from './solve.ts'

/** Which packages every base of a kind has besides those listed. */
export type BaseVariant =
  /** Essential packages only: dpkg works inside. */
  | 'essential'
  /** And apt. */
  | 'apt'
  /** And everything of priority "required": what `mmdebstrap --variant=minbase` makes. */
  | 'minbase'

/** What a base is for. */
export type BaseKind =
  /** dpkg and apt work inside, maintainer scripts have run: what a builder stage wants. */
  | 'full'
  /** Files of packages only; what maintainer scripts would have done is done without running one: what a final stage wants. */
  | 'minimal'

/** A name of Debian's for an architecture (`amd64`, `armhf`), and where it is written. */
export interface NamedArchitecture {
  readonly name: string
  readonly at: Place
}

/** A base image as a base file describes it. */
export interface BaseSpec {
  readonly suite: string
  readonly kind: BaseKind
  /** Empty: this machine's. */
  readonly architectures: readonly NamedArchitecture[]
  readonly variant: BaseVariant
  readonly components: readonly string[]
  /** Addresses that serve the suite; empty where the file names none. */
  readonly mirrors: readonly string[]
  /** Repositories described in full. */
  readonly repositories: readonly RepositorySpec[]
  /** Paths as written, for repositories without an own keyring; empty: the host's. */
  readonly keyrings: readonly string[]
  /** Repositories that no keyring verifies count all the same. */
  readonly trusted: boolean
  readonly packages: readonly Wanted[]
  /** Names that dependencies of a minimal base do not bring in, besides those that never do. */
  readonly omit: readonly string[]
  /** Patterns of paths to leave out, in dpkg's form. */
  readonly without: readonly PathRule[]
  /** Into how many layers the packages are cut. */
  readonly layers: number
  readonly system: SystemSettings
  readonly config: BaseConfig
}

/** One of dpkg's path filters (dpkg(1), --path-exclude): the last one that matches a path decides. */
export interface PathRule {
  readonly kind: 'exclude' | 'include'
  /** With leading slash; `*`, `?` and `[…]` match slashes, too. */
  readonly pattern: string
}

/** What is changed in a system after its packages are in. */
export interface SystemSettings {
  readonly groups: readonly GroupSpec[]
  readonly users: readonly UserSpec[]
  readonly directories: readonly DirectorySpec[]
  readonly files: readonly FileSpec[]
  readonly links: readonly LinkSpec[]
  /** Program → what its name in /usr/bin leads to by way of /etc/alternatives. */
  readonly alternatives: readonly { readonly name: string; readonly target: string; readonly at: Place }[]
  /** `Europe/Berlin`. */
  readonly timezone?: { readonly name: string; readonly at: Place }
  /** Paths as written of certificates in PEM form that are trusted, too. */
  readonly certificates: readonly { readonly path: string; readonly at: Place }[]
}

export interface GroupSpec {
  readonly name: string
  readonly gid?: number
  readonly at: Place
}

export interface UserSpec {
  readonly name: string
  readonly uid?: number
  /** Primary group by name or number; absent: one of the user's name. */
  readonly group?: string
  /** Additional groups by name. */
  readonly groups: readonly string[]
  /** Made, and given to the user, where it is written down. */
  readonly home?: string
  readonly shell?: string
  readonly comment?: string
  readonly at: Place
}

/** `user` or `user:group`, names or numbers. */
export interface OwnerSpec {
  readonly text: string
  readonly at: Place
}

export interface DirectorySpec {
  /** Without leading slash. */
  readonly path: string
  /** Permission bits. */
  readonly mode: number
  readonly owner?: OwnerSpec
  readonly at: Place
}

export interface FileSpec extends DirectorySpec {
  readonly content:
    | { readonly kind: 'text'; readonly text: string }
    /** A path as written, of a file or (with all that is in it) a directory. */
    | { readonly kind: 'source'; readonly path: string }
}

export interface LinkSpec {
  /** Without leading slash. */
  readonly path: string
  readonly target: string
  readonly at: Place
}

export interface RepositorySpec {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** Paths as written. */
  readonly keyrings: readonly string[]
  /** Taken without a valid signature. */
  readonly trusted: boolean
  readonly checkValidUntil: boolean
}

/** What the image's configuration says. */
export interface BaseConfig {
  /** `NAME=value` in the file's order. */
  readonly env: readonly string[]
  readonly user?: string
  /** Absolute. */
  readonly workdir?: string
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}
