import { nearest, type Place, UserError } from '#diagnostics'
import { matchGlob } from '#dockerfile'
import type { CopyStep } from '#plan'
import type { Selectable } from '#sources'
import { placedNow } from './places.ts'
import { cleanPath, type CopyItem, type Entry, joinPath, lookup, splitPath } from '#tree'

/** Leaves a path below a source out (`--exclude`); directories are still looked into when it may let something in again. */
export interface Exclusion {
  excludes(path: string): boolean
  mayReinclude(path: string): boolean
}

export interface SelectOptions {
  readonly parents: boolean
  readonly exclude?: Exclusion
  /** How messages call the tree: `the build context`, `stage "builder"`. */
  readonly where: string
}

/** The sources of a COPY as items to place (section 12 of the language page: 12.2 to 12.4, 12.7, 12.10, 12.17, 12.18). */
export function selectSources(tree: Selectable, step: CopyStep, options: SelectOptions): CopyItem[] {
  return step.sources.flatMap(source =>
    source.kind === 'path' ? placedNow(source.place, () => selectSource(tree, source, options)) : [],
  )
}

type PathSource = Extract<CopyStep['sources'][number], { kind: 'path' }>

function selectSource(tree: Selectable, source: PathSource, options: SelectOptions): CopyItem[] {
  const { path, pivot } = splitPivot(source.path, options.parents)
  if (!source.wildcard) return [itemAt(tree, path, { source, options, pivot })]
  return expandGlob(tree, path, source, options).map(match => itemAt(tree, match, { source, options, pivot }))
}

/** With --parents, what stands before `/./` is not kept. */
function splitPivot(path: string, parents: boolean): { path: string; pivot: string } {
  const at = parents ? path.indexOf('/./') : -1
  return { path: cleanPath(path), pivot: at === -1 ? '' : cleanPath(path.slice(0, at)) }
}

interface ItemContext {
  readonly source: PathSource
  readonly options: SelectOptions
  readonly pivot: string
}

function itemAt(tree: Selectable, path: string, { source, options, pivot }: ItemContext): CopyItem {
  const found = lookup(tree, path)
  if (!found.entry) throw missing(tree, path, { place: source.place, where: options.where })
  const { parent, name } = splitPath(path)
  const keep = options.parents ? keptParents(parent, pivot) : undefined
  return { name, ...(keep !== undefined && { keep }), entries: entriesBelow(tree, found.path, options.exclude) }
}

function keptParents(parent: string, pivot: string): string {
  return pivot !== '' && (parent === pivot || parent.startsWith(`${pivot}/`)) ? parent.slice(pivot.length + 1) : parent
}

/** The object and what is below it, with paths relative to it; further names of an inode become hard links. */
function entriesBelow(tree: Selectable, top: string, exclude?: Exclusion): Entry[] {
  const entries: Entry[] = []
  const links: Entry[] = []
  const inodes = new Map<string, string>()
  const visit = (path: string, relative: string): void => {
    const entry = tree.get(path)
    if (!entry) return
    if (relative !== '' && exclude?.excludes(relative)) {
      if (entry.type === 'directory' && exclude.mayReinclude(relative))
        for (const name of tree.list(path)) visit(joinPath(path, name), joinPath(relative, name))
      return
    }
    const inode = entry.type === 'directory' ? undefined : tree.inodeOf(path)
    const content = entry.content ?? (entry.type === 'file' ? tree.knownContent(entry) : undefined)
    const placed = path === relative && content === entry.content ? entry : placedAs(entry, relative, content)
    const first = inode === undefined ? undefined : inodes.get(inode)
    if (first !== undefined) links.push({ ...placed, type: 'hardlink', link: first })
    else {
      if (inode !== undefined) inodes.set(inode, relative)
      entries.push(placed)
    }
    if (entry.type === 'directory')
      for (const name of tree.list(path)) visit(joinPath(path, name), joinPath(relative, name))
  }
  visit(top, '')
  return [...entries, ...links]
}

function placedAs(entry: Entry, path: string, content: Entry['content']): Entry {
  return content === undefined ? { ...entry, path } : { ...entry, path, content }
}

/** Go's filepath.Match component by component; the part before the first wildcard must exist and its links are followed. */
function expandGlob(tree: Selectable, pattern: string, source: PathSource, options: SelectOptions): string[] {
  const parts = pattern.split('/')
  const firstWild = parts.findIndex(part => /[*?[\\]/.test(part))
  const prefix = parts.slice(0, firstWild).join('/')
  const start = lookup(tree, prefix)
  if (!start.entry) throw missing(tree, prefix, { place: source.place, where: options.where })
  let paths = [prefix]
  for (const [i, part] of parts.slice(firstWild).entries()) {
    paths = paths.flatMap(path => {
      const at = i === 0 ? start.path : path
      if (tree.get(at)?.type !== 'directory') return []
      if (options.parents && part === '**') return [path, ...directoriesBelow(tree, path)]
      return tree
        .list(at)
        .filter(name => matchGlob(part, name))
        .map(name => joinPath(path, name))
    })
  }
  return [...new Set(paths)].filter(path => !options.exclude?.excludes(path))
}

function directoriesBelow(tree: Selectable, path: string): string[] {
  return tree.list(path).flatMap(name => {
    const child = joinPath(path, name)
    return tree.get(child)?.type === 'directory' ? [child, ...directoriesBelow(tree, child)] : []
  })
}

function missing(tree: Selectable, path: string, { place, where }: { place: Place; where: string }): UserError {
  const why = tree.whyMissing?.(path)
  if (why) return new UserError(`"/${path}" not found: ${why.message}`, { hint: why.hint, at: place })
  const link = tree.get(path)
  if (link?.type === 'symlink') {
    return new UserError(`"/${path}" is a link to "${link.link ?? ''}", which is not in ${where}`, {
      hint: 'COPY takes what a link points to: mend the link, or copy the directory that holds it to keep it as it is',
      at: place,
    })
  }
  let { parent, name } = splitPath(path)
  while (parent !== '' && !lookup(tree, parent).entry) ({ parent, name } = splitPath(parent))
  const names = tree.list(lookup(tree, parent).path)
  const guess = nearest(name, names)
  const hint =
    guess === undefined
      ? `${where} has in "/${parent}": ${names.slice(0, 12).join(', ') || 'nothing'}`
      : `did you mean "${joinPath(parent, guess)}"?`
  return new UserError(`"/${path}" not found in ${where}`, { hint, at: place })
}
