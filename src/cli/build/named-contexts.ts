import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '#diagnostics'
import { type LocalContext, openLocalContext } from '#sources'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'
import type { NameValue } from '../options/name-value.ts'
import { readIgnoreFile } from './read-dockerfile.ts'

/** `--build-context` by name: a directory (absolute) or an image of the store. */
export type NamedContexts = ReadonlyMap<string, NamedContext>

export type NamedContext =
  | { readonly kind: 'files'; readonly directory: string }
  | { readonly kind: 'image'; readonly reference: string }

const imageScheme = 'docker-image://'

/** Reads `--build-context` options. Throws a `UserError` for a directory that is not there, and for other addresses. */
export function namedContexts(options: readonly NameValue[], context: CliContext): NamedContexts {
  return new Map(options.map(([name, value]) => [name.toLowerCase(), namedContext(name, value, context)]))
}

function namedContext(name: string, value: string, { directory }: CliContext): NamedContext {
  if (value.startsWith(imageScheme)) return { kind: 'image', reference: value.slice(imageScheme.length) }
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(value)) {
    throw new UserError(`--build-context ${name}=${value}: such addresses are not supported`, {
      hint: `name a directory, or ${imageScheme}NAME for an image of the local store`,
    })
  }
  const path = resolve(directory, value)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return { kind: 'files', directory: path }
  throw new UserError(`--build-context ${name}=${value}: there is no such directory`, { hint: 'check the path' })
}

/** The contexts of a build, opened when something is first taken from them. */
export interface OpenContexts {
  readonly main: (() => LocalContext) | undefined
  readonly named: ReadonlyMap<string, () => LocalContext>
  /** Keeps what was learnt about the files. */
  readonly save: () => Promise<void>
}

/** Prepares the contexts of a build; each has its own ignore file. */
export function openContexts(
  store: Store,
  main: (() => LocalContext) | undefined,
  { named, context }: { readonly named: NamedContexts; readonly context: CliContext },
): OpenContexts {
  const opened: LocalContext[] = []
  const once = (open: () => LocalContext): (() => LocalContext) => {
    let known: LocalContext | undefined
    return () => {
      if (!known) opened.push((known = open()))
      return known
    }
  }
  const files = [...named].flatMap(([name, each]) =>
    each.kind === 'files'
      ? [[name, once(() => openLocalContext(store, each.directory, readIgnoreFile(each.directory, context)))] as const]
      : [],
  )
  return {
    main: main && once(main),
    named: new Map(files),
    save: async () => {
      for (const each of opened) await each.save()
    },
  }
}
