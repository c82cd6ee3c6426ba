import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { imageConfig, findImage, chainOf } from '#build'
import { UserError, type Warning } from '#diagnostics'
import { type DockerfileTree, type IgnorePattern, parseDockerfile, parseIgnoreFile } from '#dockerfile'
import { type LintFinding, type LintSettings, loadRules } from '#lint'
import { hostPlatform } from '#oci'
import { planBuild, type ResolvedImage } from '#plan'
import { chainTree } from '#rootfs'
import type { Store } from '#store'
import type { FoundDockerfile } from './find-dockerfiles.ts'

/** A Dockerfile with what was found in it. */
export interface LintedFile extends FoundDockerfile {
  readonly findings: readonly LintFinding[]
}

/** Where lint may ask about base images; without a store, names have to do. */
export interface LintWorld {
  readonly settings: LintSettings
  readonly store?: Store
}

/** All that the checks and rules find. What cannot be parsed or planned is a finding too. */
export async function lintFile(file: FoundDockerfile, { settings, store }: LintWorld): Promise<LintedFile> {
  const { lintWithRules } = await loadRules()
  let tree: DockerfileTree
  try {
    tree = parseDockerfile(file.source)
  } catch (error) {
    return { ...file, findings: [errorFinding(error)] }
  }
  const planned = await plan(tree, store)
  const known = { ...settings, libcOf: new Map([...settings.libcOf, ...planned.libcOf]) }
  const findings = lintWithRules(tree, known, { found: planned.found, ignore: ignoreOf(file) })
  return { ...file, findings: [...(planned.failure ? [errorFinding(planned.failure)] : []), ...findings] }
}

function errorFinding(error: unknown): LintFinding {
  if (!(error instanceof UserError)) throw error
  const { message, hint, at } = error
  return { code: 'DockerfileError', message, hint, severity: 'error', codes: ['DL1000'], ...(at && { at }) }
}

function ignoreOf({ path }: FoundDockerfile): readonly IgnorePattern[] {
  if (path === undefined) return []
  const found = [`${path}.dockerignore`, join(dirname(path), '.dockerignore')].find(each => existsSync(each))
  return found === undefined ? [] : parseIgnoreFile({ name: basename(found), text: readFileSync(found, 'utf8') })
}

interface Planned {
  readonly found: readonly Warning[]
  readonly failure?: UserError
  readonly libcOf: ReadonlyMap<string, 'glibc' | 'musl' | 'none'>
}

/** What planning warns of. Of images that are not here, nothing is known: what they might set is not told. */
async function plan(tree: DockerfileTree, store: Store | undefined): Promise<Planned> {
  const found: Warning[] = []
  const libcOf = new Map<string, 'glibc' | 'musl' | 'none'>()
  let unknown = false
  const standIn = (reference: string): ResolvedImage => ({
    reference,
    id: 'unknown',
    config: { ...hostPlatform(), config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
  })
  try {
    await planBuild({
      tree,
      platform: hostPlatform(),
      buildArgs: {},
      everyStage: true,
      allow: new Set(['network.host', 'security.insecure']),
      resolveImage: async reference => {
        const here = store && (await imageHere(store, reference))
        if (!here) unknown = true
        else if (here.libc !== undefined) libcOf.set(reference, here.libc).set(here.name, here.libc)
        return here?.image ?? standIn(reference)
      },
      warn: warning => found.push(warning),
    })
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { found, failure: error, libcOf }
  }
  return {
    found: found.filter(({ code }) => !unknown || (code !== 'UndefinedVar' && code !== 'InvalidBaseImagePlatform')),
    libcOf,
  }
}

async function imageHere(
  store: Store,
  reference: string,
): Promise<
  { readonly image: ResolvedImage; readonly name: string; readonly libc?: 'glibc' | 'musl' | 'none' } | undefined
> {
  try {
    const record = findImage(store, reference)
    const config = await imageConfig(store, record.id)
    const tree = await chainTree(store, chainOf(store, record))
    const names = ['lib', 'lib64', 'usr/lib', 'usr/lib64'].flatMap(path => tree.list(path))
    const libc = names.some(name => name.startsWith('ld-musl-'))
      ? 'musl'
      : names.some(name => /^ld-linux|^ld64\.so/.test(name))
        ? 'glibc'
        : undefined
    const short = store.images.tagsOf(record.id)[0] ?? reference
    return { image: { reference, id: record.id, config }, name: short.replace(/:latest$/, ''), ...(libc && { libc }) }
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
