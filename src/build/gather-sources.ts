import { digestOf } from '#oci'
import type { CopySource, CopyStep } from '#plan'
import { nameOfUrl, parseGitUrl, type GitCheckout, type RemoteFile, type Selectable } from '#sources'
import type { CopyItem, Entry } from '#tree'
import { exclusionOf } from './exclusion.ts'
import { placed } from './places.ts'
import { selectSources } from './select.ts'
import { inheritedTime, type StepInputs } from './step-kind.ts'

/** The sources of a COPY or ADD, asked for as late as possible. Everything is found once. */
export interface GatheredSources {
  /** What remote sources are now (12.20, 12.21): decides about the result in their place. Empty without any. */
  remote(): Promise<readonly unknown[]>
  /** What is taken from the context or `--from`. */
  local(): Promise<LocalSelection>
  /** Everything, in the order written. */
  all(): Promise<readonly GatheredItem[]>
}

export interface LocalSelection {
  /** Absent when nothing is taken from it. */
  readonly tree?: Selectable
  readonly items: readonly CopyItem[]
}

export interface GatheredItem {
  readonly item: CopyItem
  /** An archive is unpacked: local ones unless --unpack=false, those of URLs with --unpack=true (12.19). */
  readonly mayUnpack: boolean
}

type Resolved =
  | { readonly kind: 'url'; readonly file: RemoteFile }
  | { readonly kind: 'git'; readonly checkout: GitCheckout }
type RemoteSource = Extract<CopySource, { kind: 'url' | 'git' }>

export function gatherSources(step: CopyStep, inputs: StepInputs): GatheredSources {
  const paths = step.sources.some(({ kind }) => kind === 'path')
  let resolved: Promise<ReadonlyMap<RemoteSource, Resolved>> | undefined
  let opened: Promise<{ readonly tree: Selectable; readonly where: string } | undefined> | undefined
  let gathered: Promise<readonly (readonly [CopySource, readonly CopyItem[]])[]> | undefined

  const resolveAll = (): Promise<ReadonlyMap<RemoteSource, Resolved>> => (resolved ??= resolveRemote(step, inputs))
  const openTree = (): NonNullable<typeof opened> =>
    (opened ??= paths ? openSource(step, inputs) : Promise.resolve(undefined))
  const itemsOf = async (source: CopySource): Promise<readonly CopyItem[]> => {
    switch (source.kind) {
      case 'path': {
        const from = await openTree()
        return from ? select({ ...step, sources: [source] }, from) : []
      }
      case 'inline':
        return [inlineItem(source, inheritedTime(inputs.parent))]
      case 'url':
      case 'git': {
        const found = (await resolveAll()).get(source)
        return found ? [await remoteItem(step, source, { found, otherwise: inheritedTime(inputs.parent) })] : []
      }
    }
  }
  const localItems = (): NonNullable<typeof gathered> => {
    gathered ??= (async () => {
      const found: (readonly [CopySource, readonly CopyItem[]])[] = []
      for (const source of step.sources)
        if (source.kind === 'path' || source.kind === 'inline') found.push([source, await itemsOf(source)])
      return found
    })()
    return gathered
  }
  return {
    remote: async () => [...(await resolveAll())].map(([source, found]) => identity(source, found)),
    local: async () => {
      const from = await openTree()
      const items = (await localItems()).flatMap(([, each]) => each)
      return { items, ...(from && { tree: from.tree }) }
    },
    all: async () => {
      const local = new Map(await localItems())
      const all: GatheredItem[] = []
      for (const source of step.sources) {
        const mayUnpack = source.kind === 'path' ? step.unpack !== false : source.kind === 'url' && step.unpack === true
        for (const item of local.get(source) ?? (await itemsOf(source))) {
          all.push({ item, mayUnpack: mayUnpack && step.instruction === 'ADD' })
        }
      }
      return all
    },
  }
}

async function openSource(
  step: CopyStep,
  inputs: StepInputs,
): Promise<{ readonly tree: Selectable; readonly where: string }> {
  const source = await inputs.source(step.from)
  return { tree: await source.open(), where: source.where }
}

function select(step: CopyStep, { tree, where }: { readonly tree: Selectable; readonly where: string }): CopyItem[] {
  return selectSources(tree, step, {
    parents: step.parents,
    where,
    ...(step.exclude.length > 0 && { exclude: exclusionOf(step.exclude, step.place) }),
  })
}

/** All at the same time: servers answer slowly. */
async function resolveRemote(step: CopyStep, inputs: StepInputs): Promise<ReadonlyMap<RemoteSource, Resolved>> {
  const sources = step.sources.filter(source => source.kind === 'url' || source.kind === 'git')
  const found = await Promise.all(sources.map(source => placed(source.place, () => resolveOne(step, source, inputs))))
  return new Map(sources.flatMap((source, i) => (found[i] ? [[source, found[i]] as const] : [])))
}

async function resolveOne(step: CopyStep, source: RemoteSource, inputs: StepInputs): Promise<Resolved> {
  const { remote, report } = inputs
  if (source.kind === 'url') {
    const file = await remote.file(source.url, {
      ...(step.checksum !== undefined && { checksum: step.checksum as RemoteFile['digest'] }),
      onBytes: (done, total) =>
        report({ kind: 'transfer', label: 'downloading', done, ...(total !== undefined && { total }) }),
    })
    return { kind: 'url', file }
  }
  const asked = parseGitUrl(source.url)
  const checkout = await remote.git({
    ...asked,
    ...(step.checksum !== undefined && { checksum: step.checksum }),
    keepGitDir: asked.keepGitDir || step.keepGitDir,
  })
  return { kind: 'git', checkout }
}

function identity(source: RemoteSource, found: Resolved): unknown {
  if (found.kind === 'git') return found.checkout.identity
  const { digest, modified } = found.file
  return { digest, name: nameOfUrl(source.url), modified: modified ?? null, mode: urlMode }
}

const urlMode = 0o600

async function remoteItem(
  step: CopyStep,
  source: RemoteSource,
  { found, otherwise }: { readonly found: Resolved; readonly otherwise: number },
): Promise<CopyItem> {
  if (found.kind === 'git') {
    const tree = await placed(source.place, () => found.checkout.open())
    const whole: CopySource = { kind: 'path', path: '.', wildcard: false, place: source.place }
    const [item] = select({ ...step, sources: [whole], parents: false }, { tree, where: 'the repository' })
    if (!item) throw new Error('the root of a tree gives one item')
    return item
  }
  const { file } = found
  const entry: Entry = {
    path: '',
    type: 'file',
    mode: urlMode,
    uid: 0,
    gid: 0,
    size: file.size,
    mtime: { seconds: file.modified ?? otherwise, nanoseconds: 0 },
    source: { kind: 'file', path: file.path },
    content: file.digest,
  }
  return { name: nameOfUrl(source.url), entries: [entry] }
}

/** Heredoc files: 0644 of root (section 5.6 of the language page). */
function inlineItem(source: Extract<CopySource, { kind: 'inline' }>, seconds: number): CopyItem {
  const bytes = Buffer.from(source.body, 'utf8')
  const entry: Entry = {
    path: '',
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: bytes.length,
    mtime: { seconds, nanoseconds: 0 },
    source: { kind: 'bytes', bytes },
    content: digestOf(bytes),
  }
  return { name: source.name, entries: [entry] }
}
