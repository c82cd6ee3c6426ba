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

/** A base image as a base file describes it. */
export interface BaseSpec {
  readonly suite: string
  /** In Debian's words (`amd64`, `armhf`); absent: this machine's. */
  readonly architecture?: { readonly name: string; readonly at: Place }
  readonly variant: BaseVariant
  readonly components: readonly string[]
  /** Addresses that serve the suite; empty where the file names none. */
  readonly mirrors: readonly string[]
  /** Repositories described in full. */
  readonly repositories: readonly RepositorySpec[]
  /** Paths as written, for repositories without an own keyring; empty: the host's. */
  readonly keyrings: readonly string[]
  readonly packages: readonly Wanted[]
  readonly config: BaseConfig
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
