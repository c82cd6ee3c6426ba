import type { ArchivedImage } from './image-archive.ts'
import { type MergedTree, mergeLayers, type Node } from './merged-tree.ts'

/** One object of a tree as `expected.json` says it. Times are whole seconds; absent where no builder can promise them. */
export interface TreeRecord {
  readonly type: Node['type']
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly size?: number
  readonly sha256?: string
  readonly text?: string
  readonly target?: string
  readonly device?: readonly number[]
  readonly capability?: string
  /** Another, earlier name of the same file. */
  readonly sameAs?: string
  readonly mtime?: string
}

export interface HistoryRecord {
  readonly createdBy: string
  readonly empty: boolean
}

/** What a build must amount to: the tree as a difference to that of the base image or of nothing, and the configuration. */
export interface Expectation {
  readonly basis: 'base' | 'scratch'
  readonly tree: Readonly<Record<string, TreeRecord>>
  readonly removed: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  readonly author: string
  /** Absent where the expectation is written by hand and the wording is not what it looks at. */
  readonly history?: readonly HistoryRecord[]
}

/** null: the field must be absent. */
export type FieldChanges = { readonly [K in keyof TreeRecord]?: TreeRecord[K] | null }

/** Turns what the engine made into what is specified, where the two are known to differ. */
export interface Difference {
  /** Checkbox of the language page. */
  readonly rule: string
  readonly why: string
  /** Fields to change by path; null: the path must not exist. */
  readonly tree?: Readonly<Record<string, FieldChanges | null>>
  /** Keys to change; null: the key must be absent. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Texts to change by position. */
  readonly history?: Readonly<Record<number, string>>
}

export interface Basis {
  readonly tree: ReadonlyMap<string, TreeRecord>
  /** Diff id of the base image's only layer. */
  readonly diffId: string
  /** SHA-256 of the busybox in the base; its content is not compared. */
  readonly busybox: string
}

/** Everything older was there before any build: from the base, the context or an archive. 2025-01-01T00:00:00Z. */
const recent = 1_735_689_600

const comparedKeys = [
  'ArgsEscaped',
  'Cmd',
  'Entrypoint',
  'Env',
  'ExposedPorts',
  'Healthcheck',
  'Labels',
  'OnBuild',
  'Shell',
  'StopSignal',
  'User',
  'Volumes',
  'WorkingDir',
]

export function basisOf(baseArchive: Buffer, sha256: (bytes: Buffer) => string): Basis {
  const merged = mergeLayers([baseArchive])
  const busybox = merged.get('/bin/busybox')?.sha256 ?? ''
  return { tree: recordsOf(merged, busybox), diffId: `sha256:${sha256(baseArchive)}`, busybox }
}

/** Describes an image as an expectation: what `expected.json` holds. */
export function expectationOf(image: ArchivedImage, basis: Basis): Expectation {
  const records = recordsOf(mergeLayers(image.layers), basis.busybox)
  const onBase = (image.config['rootfs'] as { diff_ids?: readonly string[] }).diff_ids?.[0] === basis.diffId
  const below = onBase ? basis.tree : new Map<string, TreeRecord>([['/', rootRecord]])
  const changed = [...records].filter(([path, record]) => !sameRecord(below.get(path), record))
  return {
    basis: onBase ? 'base' : 'scratch',
    tree: Object.fromEntries(changed.map(([path, record]) => [path, withoutRecentTime(record)])),
    removed: [...below.keys()].filter(path => !records.has(path)),
    config: configOf(image),
    author: typeof image.config['author'] === 'string' ? image.config['author'] : '',
    history: historyOf(image, onBase),
  }
}

/** Readable lines, one per disagreement; none when the image is as expected. */
export function compareWithExpectation(
  image: ArchivedImage,
  expected: Expectation,
  differences: readonly Difference[],
  basis: Basis,
): string[] {
  const wanted = new Map(expected.basis === 'base' ? basis.tree : [['/', rootRecord]])
  for (const path of expected.removed) wanted.delete(path)
  for (const [path, record] of Object.entries(expected.tree)) wanted.set(path, record)
  const config: Record<string, unknown> = { ...expected.config }
  let history = expected.history
  for (const difference of differences) {
    for (const [path, fields] of Object.entries(difference.tree ?? {})) {
      if (fields === null) wanted.delete(path)
      else wanted.set(path, withFields(wanted.get(path), fields))
    }
    for (const [key, value] of Object.entries(difference.config ?? {})) {
      if (value === null) delete config[key]
      else config[key] = value
    }
    history = history?.map((entry, i) => ({ ...entry, createdBy: difference.history?.[i] ?? entry.createdBy }))
  }
  const actual = recordsOf(mergeLayers(image.layers), basis.busybox)
  return [
    ...compareTrees(wanted, actual),
    ...compareFields('config.', config, configOf(image)),
    ...compareFields('', { author: expected.author }, { author: image.config['author'] ?? '' }),
    ...(history === undefined ? [] : compareHistories(history, historyOf(image, expected.basis === 'base'))),
  ]
}

function withFields(record: TreeRecord | undefined, fields: FieldChanges): TreeRecord {
  const entries = Object.entries({ ...(record ?? rootRecord), ...fields }).filter(([, value]) => value !== null)
  return Object.fromEntries(entries) as unknown as TreeRecord
}

const rootRecord: TreeRecord = { type: 'directory', mode: '0755', uid: 0, gid: 0 }

function recordsOf(tree: MergedTree, busybox: string): Map<string, TreeRecord> {
  const records = new Map<string, TreeRecord>()
  const first = new Map<Node, string>()
  for (const path of [...tree.keys()].sort()) {
    const node = tree.get(path) as Node
    const sameAs = node.type === 'directory' ? undefined : first.get(node)
    if (sameAs === undefined) first.set(node, path)
    records.set(path, toRecord(node, path, { sameAs, busybox }))
  }
  return records
}

function toRecord(node: Node, path: string, { sameAs, busybox }: { sameAs: string | undefined; busybox: string }) {
  const { type, mode, uid, gid, mtime, size, sha256, ...rest } = node
  const masked = sha256 !== undefined && sha256 === busybox
  const record: TreeRecord = {
    type,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    ...(masked || size === undefined ? {} : { size }),
    ...(sha256 === undefined ? {} : { sha256: masked ? 'busybox' : sha256 }),
    ...rest,
    ...(sameAs === undefined ? {} : { sameAs }),
    ...(path === '/' ? {} : { mtime: new Date(mtime * 1000).toISOString().replace('.000', '') }),
  }
  return record
}

function withoutRecentTime(record: TreeRecord): TreeRecord {
  if (record.mtime === undefined || Date.parse(record.mtime) / 1000 < recent) return record
  const { mtime: _, ...rest } = record
  return rest
}

function configOf(image: ArchivedImage): Record<string, unknown> {
  const config = (image.config['config'] ?? {}) as Record<string, unknown>
  return Object.fromEntries(comparedKeys.filter(key => !isEmpty(config[key])).map(key => [key, config[key]]))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function historyOf(image: ArchivedImage, onBase: boolean): HistoryRecord[] {
  const entries = (image.config['history'] ?? []) as readonly { created_by?: string; empty_layer?: boolean }[]
  const records = entries.map(entry => ({ createdBy: entry.created_by ?? '', empty: entry.empty_layer === true }))
  return onBase ? records.slice(1) : records
}

function sameRecord(a: TreeRecord | undefined, b: TreeRecord): boolean {
  return a !== undefined && canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function compareTrees(wanted: ReadonlyMap<string, TreeRecord>, actual: ReadonlyMap<string, TreeRecord>): string[] {
  const lines: string[] = []
  for (const path of [...new Set([...wanted.keys(), ...actual.keys()])].sort()) {
    const want = wanted.get(path)
    const have = actual.get(path)
    if (want === undefined) lines.push(`${path}: should not be there, is ${canonical(have)}`)
    else if (have === undefined) lines.push(`${path}: missing, should be ${canonical(want)}`)
    else {
      const { mtime, ...rest } = have
      const timed = want.mtime === undefined ? rest : { ...rest, mtime }
      lines.push(...compareFields(`${path}: `, { ...want }, timed))
    }
  }
  return lines
}

function compareFields(
  prefix: string,
  wanted: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(actual)])].flatMap(key => {
    const [want, have] = [canonical(wanted[key]), canonical(actual[key])]
    return want === have ? [] : [`${prefix}${key} is ${have ?? 'absent'}, should be ${want ?? 'absent'}`]
  })
}

/** Instructions whose text in the history changed between the engine's release and the specification (section 10). */
const copyFlags = /^(COPY|ADD) (--(chown|chmod)=\S+ )+/
const rewritten = /^(EXPOSE|HEALTHCHECK|ARG) /

function compareHistories(wanted: readonly HistoryRecord[], actual: readonly HistoryRecord[]): string[] {
  const show = ({ createdBy, empty }: HistoryRecord): string => {
    const text = rewritten.test(createdBy) ? createdBy.replace(/ .*/s, ' …') : createdBy.replace(copyFlags, '$1 ')
    return `${empty ? '(empty) ' : ''}${text}`
  }
  const [want, have] = [wanted.map(show), actual.map(show)]
  return Array.from({ length: Math.max(want.length, have.length) }, (_, i) => i).flatMap(i =>
    want[i] === have[i] ? [] : [`history[${i}] is ${have[i] ?? 'absent'}, should be ${want[i] ?? 'absent'}`],
  )
}
