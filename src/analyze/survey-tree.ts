import { contentOf } from '#tree'
import { type FileKind, kindOf } from './file-kinds.ts'
import type { PackageHints } from './packages/package-finder.ts'
import type { FileCopy, LayerTrace, TraceNode } from './trace-layers.ts'
import { bySize } from './whole-paths.ts'

/** What one walk through the final tree finds out. */
export interface TreeSurvey {
  /** Every file once, by its first name. */
  readonly files: readonly VisibleFile[]
  readonly bytes: number
  readonly byKind: ReadonlyMap<FileKind, readonly FileCopy[]>
  readonly directories: readonly DirectoryReport[]
  readonly hints: PackageHints
}

export interface VisibleFile {
  readonly path: string
  readonly copy: FileCopy
  readonly kind: FileKind | undefined
}

/** A directory of the final tree. */
export interface DirectoryReport {
  /** Without leading slash; the root is empty. */
  readonly path: string
  /** Of all files below it, each hard-linked file once, under its first name. */
  readonly bytes: number
  readonly files: number
}

/** Equal contents under several names that are not hard links to each other. */
export interface DuplicateReport {
  readonly content: string
  /** Bytes of one of them. */
  readonly size: number
  /** Bytes of all but one. */
  readonly extra: number
  /** The copy in the lowest layer first. */
  readonly paths: readonly string[]
}

interface Draft {
  readonly files: VisibleFile[]
  readonly seen: Set<FileCopy>
  readonly byKind: Map<FileKind, FileCopy[]>
  readonly directories: DirectoryReport[]
  readonly hints: { readonly npm: string[]; readonly python: string[]; readonly gems: string[] }
}

export function surveyTree({ root }: Pick<LayerTrace, 'root'>): TreeSurvey {
  const draft: Draft = {
    files: [],
    seen: new Set(),
    byKind: new Map(),
    directories: [],
    hints: { npm: [], python: [], gems: [] },
  }
  const { bytes } = visitDirectory(root, '', draft)
  draft.directories.sort(bySize)
  return { files: draft.files, bytes, byKind: draft.byKind, directories: draft.directories, hints: draft.hints }
}

function visitDirectory(node: TraceNode, path: string, draft: Draft): DirectoryReport {
  let bytes = 0
  let files = 0
  for (const name of [...(node.children?.keys() ?? [])].sort()) {
    const child = node.children?.get(name) as TraceNode
    const at = path === '' ? name : `${path}/${name}`
    noteHint(at, name, draft.hints)
    if (child.entry.type === 'directory') {
      const below = visitDirectory(child, at, draft)
      bytes += below.bytes
      files += below.files
    } else if (child.copy && !draft.seen.has(child.copy)) {
      bytes += child.copy.entry.size
      files++
      noteFile(at, child.copy, draft)
    }
  }
  const report = { path, bytes, files }
  draft.directories.push(report)
  return report
}

function noteFile(path: string, copy: FileCopy, { files, seen, byKind }: Draft): void {
  seen.add(copy)
  const kind = kindOf(path)
  files.push({ path, copy, kind })
  if (kind === undefined) return
  const list = byKind.get(kind)
  if (list) list.push(copy)
  else byKind.set(kind, [copy])
}

function noteHint(path: string, name: string, hints: Draft['hints']): void {
  if (name === 'package.json') {
    if (/(^|\/)node_modules\/(@[^/]+\/)?[^/@][^/]*\/package\.json$/.test(path)) hints.npm.push(path)
  } else if (name.endsWith('.dist-info') || name.endsWith('.egg-info')) hints.python.push(path)
  else if (name.endsWith('.gemspec') && /(^|\/)specifications\/(default\/)?[^/]+$/.test(path)) hints.gems.push(path)
}

/** Contents that the final tree holds more than once, those that take most first. */
export function findDuplicates(files: readonly VisibleFile[]): readonly (DuplicateReport & {
  readonly copies: readonly VisibleFile[]
})[] {
  // Most contents stand alone: no list for them.
  const firsts = new Map<string, VisibleFile>()
  const byContent = new Map<string, VisibleFile[]>()
  for (const file of files) {
    const content = file.copy.entry.size === 0 ? undefined : contentOf(file.copy.entry)
    if (content === undefined) continue
    const first = firsts.get(content)
    if (!first) {
      firsts.set(content, file)
      continue
    }
    const list = byContent.get(content)
    if (list) list.push(file)
    else byContent.set(content, [first, file])
  }
  const found = [...byContent].flatMap(([content, copies]) => {
    const [first] = copies
    if (first === undefined || copies.length < 2) return []
    copies.sort((a, b) => a.copy.layer - b.copy.layer)
    const { size } = first.copy.entry
    return [{ content, size, extra: size * (copies.length - 1), paths: copies.map(({ path }) => path), copies }]
  })
  return found.sort((a, b) => b.extra - a.extra || ((a.paths[0] ?? '') < (b.paths[0] ?? '') ? -1 : 1))
}

/** As large directories go: without those that hold hardly more than one directory in them. */
export function tellingDirectories(directories: readonly DirectoryReport[]): readonly DirectoryReport[] {
  const largestChild = new Map<string, number>()
  for (const { path, bytes } of directories) {
    if (path === '') continue
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    largestChild.set(parent, Math.max(largestChild.get(parent) ?? 0, bytes))
  }
  return directories.filter(
    ({ path, bytes }) => path !== '' && bytes > 0 && (largestChild.get(path) ?? 0) < bytes * 0.9,
  )
}
