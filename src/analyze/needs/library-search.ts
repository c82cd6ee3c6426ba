import { readSmallContent } from '#layer'
import { cleanPath, type Entry, lookup, splitPath, type Tree } from '#tree'
import { UserError } from '#diagnostics'
import { type ElfFile, readElf } from './elf-file.ts'

/** A tree to look for programs in: of an image, or of a directory. */
export interface FileTree extends Pick<Tree, 'get' | 'list'> {
  /** A file of it as ELF, each read once. */
  readonly elf: (entry: Entry) => ElfFile | undefined
}

/** The same tree, with a memory of what was read. */
export function programTree({ get, list }: Pick<Tree, 'get' | 'list'>): FileTree {
  const known = new WeakMap<Entry, { readonly elf: ElfFile | undefined }>()
  const elf = (entry: Entry): ElfFile | undefined => {
    const before = known.get(entry)
    if (before) return before.elf
    const read = readElf(entry)
    known.set(entry, { elf: read })
    return read
  }
  return { get, list, elf }
}

/** A program or library that the loader would load. */
export interface LoadedObject {
  /** As the loader opens it, without leading slash; links are not resolved. */
  readonly path: string
  readonly entry: Entry
  readonly elf: ElfFile
  /** Whose NEEDED brought it; absent for the program itself. */
  readonly by?: LoadedObject
}

/** The file that a path leads to, links followed inside the root. */
export function fileAt(tree: FileTree, path: string): Entry | undefined {
  try {
    const { entry } = lookup(tree, path)
    return entry?.type === 'file' ? entry : undefined
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

/** Where a loader looks for the libraries of one program. */
export interface LibrarySearch {
  readonly libc: 'glibc' | 'musl'
  /** Directories of `/etc/ld.so.conf` (or musl's path file), as far as they are no default ones. */
  readonly configured: readonly string[]
  readonly defaults: readonly string[]
  /** LD_LIBRARY_PATH of the image's environment. */
  readonly environment: readonly string[]
}

/** Multiarch triplets of Debian by `e_machine` and word size; GNU libc of Debian has their directories built in. */
const triplets: Readonly<Record<string, string>> = {
  '62/64': 'x86_64-linux-gnu',
  '62/32': 'x86_64-linux-gnux32',
  '3/32': 'i386-linux-gnu',
  '183/64': 'aarch64-linux-gnu',
  '40/32': 'arm-linux-gnueabihf',
  '21/64': 'powerpc64le-linux-gnu',
  '22/64': 's390x-linux-gnu',
  '243/64': 'riscv64-linux-gnu',
  '8/64': 'mips64el-linux-gnuabi64',
  '258/64': 'loongarch64-linux-gnu',
}

/** How images call the architecture of a program (OCI image-spec, config.md), by `e_machine`, word size and byte order. */
const architectures: Readonly<Record<string, string>> = {
  '62/64/little': 'amd64',
  '62/32/little': 'amd64',
  '3/32/little': '386',
  '183/64/little': 'arm64',
  '40/32/little': 'arm',
  '21/64/little': 'ppc64le',
  '21/64/big': 'ppc64',
  '22/64/big': 's390x',
  '243/64/little': 'riscv64',
  '8/64/little': 'mips64le',
  '8/64/big': 'mips64',
  '8/32/little': 'mipsle',
  '8/32/big': 'mips',
  '258/64/little': 'loong64',
}

/** Undefined for a machine that images have no word for. */
export function architectureOf({ machine, bits, littleEndian }: ElfFile): string | undefined {
  return architectures[`${machine}/${bits}/${littleEndian ? 'little' : 'big'}`]
}

export function tripletOf({ machine, bits }: ElfFile): string | undefined {
  return triplets[`${machine}/${bits}`]
}

/** How the loader that a program asks for searches in this tree (ld.so(8); musl's dynlink.c). */
export function librarySearch(tree: FileTree, program: ElfFile, environment: readonly string[]): LibrarySearch {
  const musl = /ld-musl-([^/]+)\.so/.exec(program.interpreter ?? '')?.[1]
  if (musl !== undefined) {
    const listed = smallText(tree, `etc/ld-musl-${musl}.path`)
    const given = listed?.split(/[:\n]/).filter(Boolean)
    return {
      libc: 'musl',
      configured: given?.map(cleanPath) ?? [],
      defaults: given ? [] : ['lib', 'usr/local/lib', 'usr/lib'],
      environment,
    }
  }
  const triplet = tripletOf(program)
  const word = program.bits === 64 ? ['lib64', 'usr/lib64'] : []
  const defaults = [...(triplet ? [`lib/${triplet}`, `usr/lib/${triplet}`] : []), ...word, 'lib', 'usr/lib']
  const configured = readLoaderConfig(tree, 'etc/ld.so.conf').filter(each => !defaults.includes(each))
  return { libc: 'glibc', configured, defaults, environment }
}

/** `/etc/ld.so.conf`: a directory a line, `include` with wildcards (ldconfig(8)). Each file counts once, whoever includes it. */
function readLoaderConfig(tree: FileTree, path: string, read = new Set<string>()): string[] {
  if (read.has(path)) return []
  read.add(path)
  return (smallText(tree, path) ?? '').split('\n').flatMap(line => {
    const words = line
      .replace(/#.*/, '')
      .trim()
      .split(/[\s,:]+/)
      .filter(Boolean)
    if (words[0] !== 'include') return words.filter(word => word.startsWith('/')).map(cleanPath)
    return words.slice(1).flatMap(pattern => {
      const from = pattern.startsWith('/') ? cleanPath(pattern) : cleanPath(`${splitPath(path).parent}/${pattern}`)
      return globbed(tree, from, read).flatMap(each => readLoaderConfig(tree, each, read))
    })
  })
}

/** Wildcards in the last component, which is where they stand in practice; each pattern once. */
function globbed(tree: FileTree, pattern: string, read: Set<string>): string[] {
  const { parent, name } = splitPath(pattern)
  if (!/[*?]/.test(name)) return [pattern]
  if (read.has(pattern)) return []
  read.add(pattern)
  return tree
    .list(lookup(tree, parent).path)
    .filter(each => isMatch(each, name))
    .map(each => `${parent}/${each}`)
}

/** `*` and `?` of glob(7). A regular expression would take for ever where an image has many stars in a row. */
function isMatch(name: string, pattern: string): boolean {
  let [at, wanted] = [0, 0]
  /** Behind the last star, and where it ends in the name so far. */
  let star = -1
  let end = 0
  while (at < name.length) {
    const sign = pattern[wanted]
    if (sign === '*') {
      star = ++wanted
      end = at
    } else if (sign === '?' || sign === name[at]) {
      at++
      wanted++
    } else if (star >= 0) {
      wanted = star
      at = ++end
    } else return false
  }
  return /^\**$/.test(pattern.slice(wanted))
}

/** A small text of the tree; undefined where there is none. */
export function smallText(tree: FileTree, path: string): string | undefined {
  const entry = fileAt(tree, path)
  if (entry?.source === undefined || entry.size > 1 << 20) return undefined
  return readSmallContent(entry).toString('utf8')
}

/** What of a program its objects may be loaded from. */
export interface SearchContext {
  readonly tree: FileTree
  readonly program: LoadedObject
  readonly search: LibrarySearch
}

/** The library that a NEEDED of `by` means: the first one of the program's architecture in the loader's order. */
export function findLibrary(name: string, by: LoadedObject, context: SearchContext): LoadedObject | undefined {
  const { tree, program } = context
  const paths = name.includes('/')
    ? [expandTokens(name, by)]
    : searchPath(by, context).map(directory => `${directory}/${name}`)
  for (const path of paths) {
    const clean = cleanPath(path)
    const entry = fileAt(tree, clean)
    const elf = entry && tree.elf(entry)
    if (elf && elf.machine === program.elf.machine && elf.bits === program.elf.bits)
      return { path: clean, entry, elf, by }
  }
  return undefined
}

function searchPath(by: LoadedObject, { search }: SearchContext): readonly string[] {
  const expand = (object: LoadedObject, paths: readonly string[]): string[] =>
    paths.filter(path => path !== '').map(path => expandTokens(path, object))
  const ancestors: LoadedObject[] = []
  for (let at: LoadedObject | undefined = by; at; at = at.by) ancestors.push(at)
  const inherited =
    search.libc === 'musl'
      ? ancestors.flatMap(each => expand(each, [...each.elf.rpath, ...each.elf.runpath]))
      : by.elf.runpath.length > 0
        ? []
        : ancestors.flatMap(each => (each.elf.runpath.length > 0 ? [] : expand(each, each.elf.rpath)))
  const runpath = search.libc === 'musl' ? [] : expand(by, by.elf.runpath)
  return [
    ...(search.libc === 'musl' ? search.environment : []),
    ...inherited,
    ...(search.libc === 'musl' ? [] : search.environment),
    ...runpath,
    ...search.configured,
    ...search.defaults,
  ]
}

/** `$ORIGIN`, `$LIB` (ld.so(8), "Dynamic string tokens"). */
function expandTokens(path: string, object: LoadedObject): string {
  const origin = `/${splitPath(object.path).parent}`
  const triplet = tripletOf(object.elf)
  return path
    .replaceAll(/\$(ORIGIN\b|\{ORIGIN\})/g, () => origin)
    .replaceAll(/\$(LIB\b|\{LIB\})/g, () => (triplet ? `lib/${triplet}` : object.elf.bits === 64 ? 'lib64' : 'lib'))
}
