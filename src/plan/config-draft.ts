import type { ContainerConfig, HealthCheck } from '#oci'

/** A container configuration while the instructions of a stage change it. */
export interface ConfigDraft {
  user: string
  readonly exposedPorts: Set<string>
  env: string[]
  entrypoint: readonly string[] | undefined
  cmd: readonly string[] | undefined
  readonly volumes: Set<string>
  workingDir: string
  readonly labels: Map<string, string>
  stopSignal: string
  argsEscaped: boolean
  healthcheck: HealthCheck | undefined
  onBuild: string[]
  shell: readonly string[] | undefined
}

/** The PATH of an image that sets none (section 7.14 of the language page). */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `FROM scratch`. */
export function emptyConfig(): ContainerConfig {
  return { WorkingDir: '/' }
}

/**
 * What a stage starts with: the configuration of its base without its triggers, which have run by then, and with a PATH
 * (not on Windows). Fields of a foreign image that are not what they should be are dropped.
 */
export function draftConfig(base: ContainerConfig, os: string): ConfigDraft {
  const env = stringList(base.Env)
  if (os !== 'windows' && !env.some(entry => entry === 'PATH' || entry.startsWith('PATH=')))
    env.push(`PATH=${defaultPath}`)
  return {
    user: textOf(base.User),
    exposedPorts: new Set(keysOf(base.ExposedPorts)),
    env,
    entrypoint: Array.isArray(base.Entrypoint) ? stringList(base.Entrypoint) : undefined,
    cmd: Array.isArray(base.Cmd) ? stringList(base.Cmd) : undefined,
    volumes: new Set(keysOf(base.Volumes)),
    workingDir: textOf(base.WorkingDir),
    labels: new Map(entriesOf(base.Labels)),
    stopSignal: textOf(base.StopSignal),
    argsEscaped: base.ArgsEscaped === true,
    healthcheck: isObject(base.Healthcheck) ? base.Healthcheck : undefined,
    onBuild: [],
    shell: Array.isArray(base.Shell) ? stringList(base.Shell) : undefined,
  }
}

/** The finished configuration: keys in Docker's order, maps sorted by key, nothing empty. */
export function finishConfig(draft: ConfigDraft): ContainerConfig {
  return {
    ...(draft.user !== '' && { User: draft.user }),
    ...(draft.exposedPorts.size > 0 && { ExposedPorts: objectOf(draft.exposedPorts) }),
    ...(draft.env.length > 0 && { Env: [...draft.env] }),
    ...(draft.entrypoint && draft.entrypoint.length > 0 && { Entrypoint: draft.entrypoint }),
    ...(draft.cmd && draft.cmd.length > 0 && { Cmd: draft.cmd }),
    ...(draft.volumes.size > 0 && { Volumes: objectOf(draft.volumes) }),
    ...(draft.workingDir !== '' && { WorkingDir: draft.workingDir }),
    ...(draft.labels.size > 0 && {
      Labels: Object.fromEntries([...draft.labels].sort(([a], [b]) => compareBytes(a, b))),
    }),
    ...(draft.stopSignal !== '' && { StopSignal: draft.stopSignal }),
    ...(draft.argsEscaped && { ArgsEscaped: true }),
    ...(draft.healthcheck && { Healthcheck: draft.healthcheck }),
    ...(draft.onBuild.length > 0 && { OnBuild: [...draft.onBuild] }),
    ...(draft.shell && draft.shell.length > 0 && { Shell: draft.shell }),
  }
}

/** The strings of something that should be a list of strings. */
export function stringList(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** Order of Go's strings: by UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function objectOf(keys: ReadonlySet<string>): Record<string, object> {
  return Object.fromEntries([...keys].sort(compareBytes).map(key => [key, {}]))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keysOf(value: unknown): string[] {
  return isObject(value) ? Object.keys(value) : []
}

function entriesOf(value: unknown): [string, string][] {
  return isObject(value)
    ? Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
    : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
