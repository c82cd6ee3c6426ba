import { formatPlatform, type HistoryEntry, type ImageConfig } from '#oci'

/** One setting that differs: `Env PATH`, `Cmd`, `Labels a.b`. */
export interface ConfigDifference {
  readonly field: string
  /** As JSON would write the value; absent where the image does not set it. */
  readonly before?: string
  readonly after?: string
}

/** Entries of the history behind those that both begin with. */
export interface HistoryDifference {
  readonly common: number
  readonly first: readonly string[]
  readonly second: readonly string[]
}

/** Settings of two image configurations; when they were made and their layers are not among them. */
export function diffConfigs(first: ImageConfig, second: ImageConfig): readonly ConfigDifference[] {
  const [one, two] = [settingsOf(first), settingsOf(second)]
  const fields = [...new Set([...one.keys(), ...two.keys()])].sort()
  return fields.flatMap(field => {
    const [before, after] = [one.get(field), two.get(field)]
    if (before === after) return []
    return [{ field, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }]
  })
}

function settingsOf(image: ImageConfig): ReadonlyMap<string, string> {
  const { Env = [], Labels, ExposedPorts, Volumes, ...rest } = image.config
  const settings = new Map<string, string>([['platform', formatPlatform(image)]])
  if (image.author !== undefined) settings.set('author', image.author)
  for (const line of Env ?? []) {
    const equals = line.indexOf('=')
    settings.set(`Env ${line.slice(0, equals)}`, line.slice(equals + 1))
  }
  for (const [name, value] of Object.entries(Labels ?? {})) settings.set(`Labels ${name}`, value)
  for (const port of Object.keys(ExposedPorts ?? {})) settings.set(`ExposedPorts ${port}`, 'yes')
  for (const path of Object.keys(Volumes ?? {})) settings.set(`Volumes ${path}`, 'yes')
  for (const [name, value] of Object.entries(rest)) {
    // What Docker writes for "not set".
    if (value === null || value === '' || value === false || (Array.isArray(value) && value.length === 0)) continue
    settings.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return settings
}

export function diffHistories(first: ImageConfig, second: ImageConfig): HistoryDifference {
  const texts = ({ history }: ImageConfig): readonly string[] => history.map(textOf)
  const [one, two] = [texts(first), texts(second)]
  const differs = one.findIndex((text, i) => text !== two[i])
  const common = differs === -1 ? one.length : differs
  return { common, first: one.slice(common), second: two.slice(common) }
}

function textOf({ created_by: createdBy, comment }: HistoryEntry): string {
  return createdBy ?? comment ?? ''
}
