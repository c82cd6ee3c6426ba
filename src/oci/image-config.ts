import { type Digest, parseDigest } from './digest.ts'
import { fieldOf, malformed, parseJson } from './json.ts'

/** Durations in nanoseconds, as Docker stores them. */
export interface HealthCheck {
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

/** The `config` object of an image configuration; Docker's superset of image-spec, config.md. */
export interface ContainerConfig {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly Healthcheck?: HealthCheck
  readonly ArgsEscaped?: boolean
  readonly Volumes?: Readonly<Record<string, object>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly OnBuild?: readonly string[] | null
  readonly Shell?: readonly string[]
}

export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** An image configuration (image-spec, config.md). Unknown top-level keys of a base are kept. */
export interface ImageConfig {
  readonly created?: string
  readonly author?: string
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly config: ContainerConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history: readonly HistoryEntry[]
}

/** Reads an image configuration from outside; `null` lists become empty. Throws a `UserError`. */
export function parseImageConfig(text: string): ImageConfig {
  const what = 'image configuration'
  const object = fieldOf.object(parseJson(text, what), what)
  const rootfs = fieldOf.object(object['rootfs'] ?? { type: 'layers' }, what)
  const diffIds = fieldOf.list(rootfs, 'diff_ids', what).map(value => {
    if (typeof value !== 'string') throw malformed(what, 'has a diff id that is not a text')
    return parseDigest(value)
  })
  return {
    ...object,
    architecture: fieldOf.string(object, 'architecture', what),
    os: fieldOf.string(object, 'os', what),
    config: fieldOf.object(object['config'] ?? {}, what) as ContainerConfig,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: fieldOf.list(object, 'history', what) as readonly HistoryEntry[],
  }
}
