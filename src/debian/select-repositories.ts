import { resolve } from 'node:path'
import { UserError } from '#diagnostics'
import type { AptSource } from './apt-sources.ts'
import type { BaseSpec } from './base-spec.ts'
import type { HostApt } from './host-apt.ts'

/** A repository to load: one suite at one address. */
export interface Repository {
  /** Without trailing slash. */
  readonly uri: string
  readonly suite: string
  readonly components: readonly string[]
  readonly trust: Trust
  readonly checkValidUntil: boolean
  /** True for a suite that is only guessed to exist, beside the one that is asked for. */
  readonly optional: boolean
  /** Taken from the host's configuration: it may lack components, and be a third party's. */
  readonly fromHost: boolean
}

/** How a repository is verified. */
export type Trust =
  | { readonly kind: 'files'; readonly paths: readonly string[]; readonly own: boolean }
  /** An armored key. */
  | { readonly kind: 'key'; readonly text: string }
  /** Not at all: somebody wrote down that it is trusted. */
  | { readonly kind: 'unverified' }

export interface RepositoryContext {
  /** Where relative paths of the base file start. */
  readonly directory: string
  /** The value of SLIPWAY_DEBIAN_MIRROR: addresses separated by blanks. */
  readonly mirror: string | undefined
  readonly host: HostApt
  readonly architecture: string
}

/**
 * Where packages come from: what the file names, else SLIPWAY_DEBIAN_MIRROR, else the host's apt sources of the same
 * distribution (their suites translated when the host has another release). Throws a `UserError` where nothing is known.
 */
export function selectRepositories(spec: BaseSpec, context: RepositoryContext): readonly Repository[] {
  const given = [...spec.mirrors.map(uri => mirrorOf(uri, spec, context)), ...described(spec, context)]
  if (given.length > 0) return given
  const mirrors = (context.mirror ?? '').split(/\s+/).filter(word => word !== '')
  if (mirrors.length > 0) return mirrors.map(uri => mirrorOf(checkedMirror(uri), spec, context))
  const own = fromHost(spec, context)
  if (own.length > 0) return own
  throw new UserError(`no mirror for ${spec.suite} is known`, {
    hint: 'add "mirror: http://…/debian" to the base file, or set SLIPWAY_DEBIAN_MIRROR',
  })
}

function checkedMirror(uri: string): string {
  if (/^(https?:\/\/|file:\/)/.test(uri) && URL.canParse(uri)) return uri.replace(/\/+$/, '')
  throw new UserError(`SLIPWAY_DEBIAN_MIRROR is not the address of a mirror: ${uri}`, {
    hint: 'write http://, https:// or file:///; several are separated by blanks',
  })
}

function mirrorOf(uri: string, spec: BaseSpec, context: RepositoryContext): Repository {
  const { suite, components } = spec
  const trust: Trust = spec.trusted ? { kind: 'unverified' } : trustFor(spec.keyrings, context)
  return { uri, suite, components, trust, checkValidUntil: true, optional: false, fromHost: false }
}

function described(spec: BaseSpec, context: RepositoryContext): readonly Repository[] {
  return spec.repositories.flatMap(({ uri, suites, components, keyrings, trusted, checkValidUntil }) =>
    suites.map((suite): Repository => {
      const files = keyrings.length > 0 ? keyrings : spec.keyrings
      const trust: Trust =
        trusted || spec.trusted ? { kind: 'unverified' } : trustFor(files, context, keyrings.length > 0)
      return { uri, suite, components, trust, checkValidUntil, optional: false, fromHost: false }
    }),
  )
}

function trustFor(files: readonly string[], { directory, host }: RepositoryContext, own = files.length > 0): Trust {
  if (files.length > 0) return { kind: 'files', paths: files.map(file => resolve(directory, file)), own }
  return { kind: 'files', paths: host.keyrings, own: false }
}

/** Debian's moving names, and what follows a release's name in its additional suites. */
const aliases = ['stable', 'oldstable', 'oldoldstable', 'testing', 'unstable', 'sid']
const additions = ['', '-updates', '-security', '/updates'] as const

function fromHost(spec: BaseSpec, { host, architecture, directory }: RepositoryContext): readonly Repository[] {
  const releases = [spec.suite, ...(host.codename ? [host.codename] : []), ...aliases]
  const found = host.sources.flatMap(source => {
    if (source.architectures.length > 0 && !source.architectures.includes(architecture)) return []
    const { components } = spec
    // Third parties mostly have components of their own.
    if (!components.some(component => source.components.includes(component))) return []
    const release = releases.find(name => additions.some(addition => source.suite === name + addition))
    if (release === undefined) return []
    const suite = spec.suite + source.suite.slice(release.length)
    const trust = trustOf(source, spec, directory, host)
    const optional = suite !== spec.suite
    const checkValidUntil = source.checkValidUntil && host.checkValidUntil
    const rest = { uri: source.uri, suite, components, trust, checkValidUntil, optional, fromHost: true }
    return [{ exact: release === spec.suite, ...rest }]
  })
  const exact = found.some(repository => repository.exact && repository.suite === spec.suite)
  const chosen = new Map<string, Repository>()
  for (const { exact: isExact, ...repository } of found) {
    if (isExact === exact) chosen.set(`${repository.uri} ${repository.suite}`, repository)
  }
  return [...chosen.values()]
}

function trustOf(source: AptSource, spec: BaseSpec, directory: string, host: HostApt): Trust {
  if (spec.keyrings.length > 0) {
    return { kind: 'files', paths: spec.keyrings.map(file => resolve(directory, file)), own: true }
  }
  if (source.trusted) return { kind: 'unverified' }
  if (source.key !== undefined) return { kind: 'key', text: source.key }
  const paths = source.signedBy.length > 0 ? source.signedBy : host.keyrings
  return { kind: 'files', paths, own: false }
}
