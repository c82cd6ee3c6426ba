import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** An example as its `example.yaml` describes it. */
export interface Example {
  readonly name: string
  readonly directory: string
  readonly about: string
  /** Base files, relative to the directory, and the names that the Dockerfiles call them. */
  readonly bases: readonly { readonly file: string; readonly tag: string }[]
  /** The first one is what the others are compared with. */
  readonly variants: readonly Variant[]
}

export interface Variant {
  readonly name: string
  /** `EXAMPLE:VARIANT` */
  readonly tag: string
  readonly about: string
  readonly file: string
  readonly target?: string
  /** More arguments of `slipway build`. */
  readonly options: readonly string[]
  /** At least so many per cent smaller than the first variant. */
  readonly goal?: number
  /** What the remaining bytes are, for where the goal is missed. */
  readonly note?: string
  /** Only a base: nothing is built, the image is one of `bases`. */
  readonly base?: string
}

interface Description {
  readonly about: string
  readonly bases?: Readonly<Record<string, string>>
  readonly variants: Readonly<Record<string, Partial<Omit<Variant, 'name' | 'tag'>> & { readonly about: string }>>
}

/** The examples below a directory that have an `example.yaml`, in the order of their names, or those that are named. */
export function readExamples(directory: string, names: readonly string[]): readonly Example[] {
  const known = readdirSync(directory).filter(name => existsSync(join(directory, name, 'example.yaml')))
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) throw new Error(`there is no example ${unknown}; there are ${known.join(', ')}`)
  return (names.length > 0 ? names : known.sort()).map(name => readExample(name, join(directory, name)))
}

function readExample(name: string, directory: string): Example {
  const { about, bases, variants } = parse(readFileSync(join(directory, 'example.yaml'), 'utf8')) as Description
  return {
    name,
    directory,
    about,
    bases: Object.entries(bases ?? {}).map(([file, tag]) => ({ file, tag })),
    variants: Object.entries(variants).map(([variant, fields]) => ({
      ...fields,
      name: variant,
      tag: `${name}:${variant}`,
      file: fields.file ?? 'Dockerfile',
      options: fields.options ?? [],
    })),
  }
}
