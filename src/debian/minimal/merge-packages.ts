import { UserError } from '#diagnostics'
import type { Entry } from '#tree'
import type { PathFilter } from '../path-filter.ts'
import { parseRelations } from '../relation.ts'
import { matches } from '../universe.ts'
import type { PackageMembers } from './package-members.ts'
import type { PackageTree } from './package-tree.ts'

/** Directories that releases with a merged /usr have there only; `lib64` where the loader's path says so. */
const merged = ['bin', 'sbin', 'lib'] as const
const loaderDirectories: Readonly<Record<string, string>> = {
  amd64: 'lib64',
  loong64: 'lib64',
  mips64el: 'lib64',
  ppc64el: 'lib64',
}

/** What a package's members became. */
export interface MergedPackage {
  readonly name: string
  /** Path in the package (without leading slash) → its real place, for every file and link that is there. */
  readonly places: ReadonlyMap<string, string>
}

/**
 * Puts members of packages into a tree as dpkg unpacks them: through links to directories, never over another package's files
 * unless one replaces the other (Debian policy, section 7.6). `base-files` comes first, then by name: the outcome depends on
 * nothing else. Throws a `UserError` for files that two packages claim.
 */
export function mergePackages(
  packages: readonly PackageMembers[],
  tree: PackageTree,
  { filter, architecture }: { readonly filter: PathFilter; readonly architecture: string },
): readonly MergedPackage[] {
  layOut(tree, architecture)
  const rank = ({ item }: PackageMembers): number => (item.record.name === 'base-files' ? 0 : 1)
  const ordered = packages.toSorted((a, b) => rank(a) - rank(b) || (a.item.record.name < b.item.record.name ? -1 : 1))
  const byName = new Map(ordered.map(item => [item.item.record.name, item]))
  const hollow = new Set<string>()
  const done = ordered.map(own => {
    const places = new Map<string, string>()
    const contents = new Map(own.members.map(member => [member.path, member]))
    for (const member of own.members) {
      const type = member.type === 'directory' || member.type === 'symlink' ? member.type : 'other'
      if (filter.excludes(member.path, type)) continue
      const isKept = filter.excludes(member.path, 'other')
      if (member.type === 'directory') addDirectory(member, { own, tree, hollow: isKept ? hollow : undefined })
      else addMember(member, { own, tree, byName, places, contents })
    }
    return { name: own.item.record.name, places }
  })
  removeHollow(tree, hollow)
  return done
}

function layOut(tree: PackageTree, architecture: string): void {
  const loader = loaderDirectories[architecture]
  for (const name of [...merged, ...(loader === undefined ? [] : [loader])]) {
    tree.makeDirectory(`usr/${name}`, { mode: 0o755, uid: 0, gid: 0, package: 'base-files' })
    tree.link(name, `usr/${name}`, { package: 'base-files' })
  }
}

interface Merging {
  readonly own: PackageMembers
  readonly tree: PackageTree
}

/** `hollow`: where to note a directory that only stands because something below it may. */
function addDirectory(
  member: Entry,
  { own, tree, hollow }: Merging & { readonly hollow: Set<string> | undefined },
): void {
  if (member.path === '') return
  const place = tree.realPlace(member.path)
  const present = tree.get(place)
  if (present === undefined) {
    tree.put(place, member, own.item.record.name)
    hollow?.add(place)
  } else if (present.type !== 'directory') {
    throw new UserError(`package ${own.item.record.name} has /${member.path} as a directory where another has a file`, {
      hint: 'the packages do not fit together',
    })
  }
}

interface MemberMerging extends Merging {
  readonly byName: ReadonlyMap<string, PackageMembers>
  readonly places: Map<string, string>
  /** The package's own members, for hard links whose target was left out. */
  readonly contents: ReadonlyMap<string, Entry>
}

function addMember(member: Entry, { own, tree, byName, places, contents }: MemberMerging): void {
  const { name } = own.item.record
  const place = tree.place(member.path)
  const present = tree.get(place)
  if (present?.type === 'directory') {
    // dpkg keeps a directory where an archive has a symbolic link.
    if (member.type === 'symlink') return
    throw new UserError(`package ${name} has /${member.path} as a file where another has a directory`, {
      hint: 'the packages do not fit together',
    })
  }
  const owner = tree.owner(place)
  const other = owner === undefined ? undefined : byName.get(owner)
  if (present !== undefined && other !== undefined && other !== own) {
    if (replaces(other, own)) return
    if (!replaces(own, other)) {
      throw new UserError(`/${member.path} is in the package ${name} and in the package ${owner}`, {
        hint: 'the packages cannot be installed together; leave one of them out',
      })
    }
  }
  tree.put(place, member.type === 'hardlink' ? linked(member, { tree, places, contents }) : member, name)
  places.set(member.path, place)
}

function replaces(taker: PackageMembers, other: PackageMembers): boolean {
  return parseRelations(taker.item.fields.get('replaces'))
    .flat()
    .some(relation => matches(other.item.record, relation))
}

/** A hard link to where its target is; the file itself where the target was left out. */
function linked(member: Entry, { tree, places, contents }: Pick<MemberMerging, 'tree' | 'places' | 'contents'>): Entry {
  const link = member.link ?? ''
  const place = places.get(link)
  const target = place === undefined ? undefined : tree.get(place)
  if (place !== undefined && target?.type === 'file') return { ...member, link: place }
  const original = contents.get(link)
  if (original?.type === 'file') return { ...original, path: member.path }
  throw new UserError(`a package links /${member.path} to /${link}, which it does not have`, {
    hint: 'the package is damaged',
  })
}

/** Directories that would have been left out but for what could stand in them go where nothing does. */
function removeHollow(tree: PackageTree, hollow: ReadonlySet<string>): void {
  for (const place of [...hollow].sort().reverse()) if (tree.list(place).length === 0) tree.remove(place)
}
