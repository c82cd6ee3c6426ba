import type { Place, WarningSink } from '#diagnostics'
import type { DockerfileTree } from '#dockerfile'
import type { Platform } from '#oci'
import type { ResolvedImage, RunStep } from './build-plan.ts'

/** What RUN may not do unless `--allow` says so (section 11.8 of the language page). */
export type Entitlement = 'network.host' | 'security.insecure'

/** What SOURCE_DATE_EPOCH may name (section 15.4 of the language page). */
export type EpochSource =
  | { readonly kind: 'context' }
  | { readonly kind: 'named-context'; readonly name: string }
  /** The only ADD of a stage; the checksum is as written. */
  | { readonly kind: 'url' | 'git'; readonly url: string; readonly checksum?: string }

/** What is needed to read a file's FROM lines. */
export type FileOptions = Pick<PlanOptions, 'tree' | 'target' | 'buildArgs' | 'platform' | 'buildPlatform'>

/** What a plan is made from. */
export interface PlanOptions {
  readonly tree: DockerfileTree
  /** Name of the stage to build, in any case; the last stage without. */
  readonly target?: string
  /** Plan the stages that the target does not need, too: for a look at the whole file. */
  readonly everyStage?: boolean
  /** `--build-arg NAME=value`. */
  readonly buildArgs?: Readonly<Record<string, string>>
  /** `--label`: set on the final image after all instructions. */
  readonly labels?: Readonly<Record<string, string>>
  /** What to build for; the build platform without. */
  readonly platform?: Platform
  /** Where the build runs; the host without. */
  readonly buildPlatform?: Platform
  /**
   * `--build-context` names (as given, `name` or `name::os/arch`): `files` for directories, archives, git and URLs,
   * `image` for images and OCI layouts.
   */
  readonly namedContexts?: ReadonlyMap<string, 'files' | 'image'>
  /** Asks for an image by its normalised reference; only for what reachable stages need, once per platform. */
  readonly resolveImage: (reference: string, platform: Platform, place: Place) => Promise<ResolvedImage>
  /** Asks for a named context of kind `image`. Required when there are such contexts. */
  readonly resolveContext?: (name: string, platform: Platform, place: Place) => Promise<ResolvedImage>
  /**
   * Asks for the date of what SOURCE_DATE_EPOCH names, in seconds since 1970; undefined where it has none. Without it only
   * numbers are taken.
   */
  readonly resolveEpoch?: (source: EpochSource) => Promise<number | undefined>
  /** `--network`: of every RUN that names none itself. */
  readonly network?: RunStep['network']
  /** `--allow`; nothing without. */
  readonly allow?: ReadonlySet<Entitlement>
  readonly warn?: WarningSink
}
