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
  /** What reports look at: the variants, or what the program makes. */
  readonly images: readonly { readonly tag: string; readonly about: string }[]
  /** A program that does everything besides the bases, in an example that is not about sizes. */
  readonly script?: string
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
  /** A base file that is the whole image: there is no Dockerfile. */
  readonly base?: string
}

interface Description {
  readonly about: string
  readonly bases?: Readonly<Record<string, string>>
  readonly script?: string
  /** Names of the images that the program makes, and what each is. */
  readonly images?: Readonly<Record<string, string>>
  readonly variants?: Readonly<Record<string, Partial<Omit<Variant, 'name' | 'tag'>> & { readonly about: string }>>
}

/**
 * The examples below a directory that have an `example.yaml`, in the order of their names; or those that are named, as `EXAMPLE` or,
 * for some of its images, as `EXAMPLE:VARIANT`. The first image is always there: the others are compared with it.
 */
export function readExamples(directory: string, names: readonly string[]): readonly Example[] {
  const known = readdirSync(directory).filter(name => existsSync(join(directory, name, 'example.yaml')))
  const wanted = new Map<string, Set<string>>()
  for (const text of names) {
    const [name = '', variant = ''] = text.split(':')
    if (!known.includes(name)) throw new Error(`there is no example ${name}; there are ${known.join(', ')}`)
    wanted.set(name, (wanted.get(name) ?? new Set()).add(variant))
  }
  return (names.length > 0 ? [...wanted.keys()] : known.toSorted()).map(name =>
    select(readExample(name, join(directory, name)), wanted.get(name) ?? new Set([''])),
  )
}

function select(example: Example, wanted: ReadonlySet<string>): Example {
  const unknown = [...wanted].find(variant => variant !== '' && !example.variants.some(({ name }) => name === variant))
  if (unknown !== undefined) throw new Error(`the example ${example.name} has no image ${unknown}`)
  if (wanted.has('')) return example
  const variants = example.variants.filter(({ name }, i) => i === 0 || wanted.has(name))
  return { ...example, variants, images: variants }
}

function readExample(name: string, directory: string): Example {
  const description = parse(readFileSync(join(directory, 'example.yaml'), 'utf8')) as Description
  const { about, bases, script, images } = description
  const variants = Object.entries(description.variants ?? {}).map(([variant, fields]) => ({
    ...fields,
    name: variant,
    tag: `${name}:${variant}`,
    file: fields.file ?? 'Dockerfile',
    options: fields.options ?? [],
  }))
  return {
    name,
    directory,
    about,
    ...(script !== undefined && { script }),
    bases: Object.entries(bases ?? {}).map(([file, tag]) => ({ file, tag })),
    variants,
    images: images ? Object.entries(images).map(([key, text]) => ({ tag: `${name}:${key}`, about: text })) : variants,
  }
}
