import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UserError } from '#diagnostics'
import type { LayoutChoice } from '#image'
import { parseDigest } from '#oci'
import type { ContextOpener } from '#build'
import { isAddress, type LocalContext, openLocalContext, openRemoteContext, type Selectable } from '#sources'
import type { CliContext } from '../context.ts'
import type { NameValue } from '../options/name-value.ts'
import type { Elsewhere } from './open-elsewhere.ts'
import { readIgnoreFile, type ReadDockerfile } from './read-dockerfile.ts'

/** `--build-context` by name (section 14.2 of the language page). */
export type NamedContexts = ReadonlyMap<string, NamedContext>

export type NamedContext =
  /** Absolute. */
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'image'; readonly reference: string }
  /** An image of an OCI layout; the directory is absolute. */
  | { readonly kind: 'layout'; readonly directory: string; readonly choice: LayoutChoice; readonly text: string }

const imageScheme = 'docker-image://'
const layoutScheme = 'oci-layout://'

/** Reads `--build-context` options. Throws a `UserError` for a directory that is not there, and for other addresses. */
export function namedContexts(options: readonly NameValue[], context: CliContext): NamedContexts {
  return new Map(options.map(([name, value]) => [name.toLowerCase(), namedContext(name, value, context)]))
}

function namedContext(name: string, value: string, { directory }: CliContext): NamedContext {
  if (value.startsWith(imageScheme)) return { kind: 'image', reference: value.slice(imageScheme.length) }
  if (value.startsWith(layoutScheme)) return layoutContext(name, value, directory)
  const path = resolve(directory, value)
  if (isAddress(value) && !existsSync(path)) return { kind: 'address', address: value }
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(value)) {
    throw new UserError(`--build-context ${name}=${value}: such addresses are not supported`, {
      hint: `name a directory, a git repository, the URL of an archive, ${layoutScheme}PATH, or ${imageScheme}NAME for an image of the local store`,
    })
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return { kind: 'directory', directory: path }
  throw new UserError(`--build-context ${name}=${value}: there is no such directory`, { hint: 'check the path' })
}

/** `oci-layout://PATH[@DIGEST|:TAG]`. */
function layoutContext(name: string, value: string, current: string): NamedContext {
  const text = value.slice(layoutScheme.length)
  const [, path = '', digest, tag] = /^(.*?)(?:@([^@/]*)|:([^:/]*))?$/s.exec(text) ?? []
  const directory = resolve(current, path)
  if (!statSync(join(directory, 'oci-layout'), { throwIfNoEntry: false })?.isFile()) {
    throw new UserError(`--build-context ${name}=${value}: there is no OCI layout in ${JSON.stringify(path)}`, {
      hint: 'make one with "slipway build -o type=oci,tar=false,dest=DIRECTORY"',
    })
  }
  const choice = { ...(digest !== undefined && { digest: parseDigest(digest) }), ...(tag !== undefined && { tag }) }
  return { kind: 'layout', directory, choice, text: value }
}

/** Whether the files of a context are used, or an image. */
export function contextKind({ kind }: NamedContext): 'files' | 'image' {
  return kind === 'image' || kind === 'layout' ? 'image' : 'files'
}

/** The contexts of a build, opened when something is first taken from them. */
export interface OpenContexts {
  readonly main: ContextOpener | undefined
  readonly named: ReadonlyMap<string, ContextOpener>
  /** Keeps what was learnt about the files. */
  readonly save: () => Promise<void>
}

/** Prepares the contexts of a build; each directory has its own ignore file. */
export function openContexts(
  elsewhere: Elsewhere,
  { directory, files, ignore }: ReadDockerfile,
  { named, context }: { readonly named: NamedContexts; readonly context: CliContext },
): OpenContexts {
  const { store } = elsewhere
  const opened: LocalContext[] = []
  const local = (path: string, patterns: () => ReadDockerfile['ignore'] | undefined): ContextOpener =>
    once(() => {
      const open = openLocalContext(store, path, patterns())
      opened.push(open)
      return open
    })
  const others = [...named].flatMap(([name, each]): (readonly [string, ContextOpener])[] => {
    switch (each.kind) {
      case 'directory':
        return [[name, local(each.directory, () => readIgnoreFile(each.directory, context))]]
      case 'address':
        return [[name, once(() => remoteFiles(name, each.address, elsewhere))]]
      case 'image':
      case 'layout':
        return []
    }
  })
  return {
    main: files ? () => files : directory === undefined ? undefined : local(directory, () => ignore),
    named: new Map(others),
    save: async () => {
      for (const each of opened) await each.save()
    },
  }
}

function once(open: ContextOpener): ContextOpener {
  let known: ReturnType<ContextOpener> | undefined
  return () => (known ??= open())
}

async function remoteFiles(name: string, address: string, elsewhere: Elsewhere): Promise<Selectable> {
  const opened = await openRemoteContext(elsewhere, address)
  if (opened.kind === 'files') return opened.tree
  throw new UserError(`the build context "${name}" is neither an archive nor a git repository`, {
    hint: 'give the URL of a tar archive, or of a git repository (ending in .git)',
  })
}
