import type { Warning } from '#diagnostics'
import { openContentReader } from '#layer'
import { type Entry, splitPath } from '#tree'
import { publicFile } from '../root-files.ts'
import { type CachedLibrary, loaderCache } from './loader-cache.ts'
import type { PackageTree } from './package-tree.ts'
import { type ElfFile, readElf } from './read-elf.ts'

/** Debian's names of architectures in paths (the Debian multiarch specification), and e_machine. */
const targets: Readonly<Record<string, { readonly triplet: string; readonly machine: number }>> = {
  amd64: { triplet: 'x86_64-linux-gnu', machine: 62 },
  arm64: { triplet: 'aarch64-linux-gnu', machine: 183 },
  armel: { triplet: 'arm-linux-gnueabi', machine: 40 },
  armhf: { triplet: 'arm-linux-gnueabihf', machine: 40 },
  i386: { triplet: 'i386-linux-gnu', machine: 3 },
  loong64: { triplet: 'loongarch64-linux-gnu', machine: 258 },
  mips64el: { triplet: 'mips64el-linux-gnuabi64', machine: 8 },
  ppc64el: { triplet: 'powerpc64le-linux-gnu', machine: 21 },
  riscv64: { triplet: 'riscv64-linux-gnu', machine: 243 },
  s390x: { triplet: 's390x-linux-gnu', machine: 22 },
}

interface Found {
  readonly path: string
  readonly elf: ElfFile
}

/**
 * Writes the dynamic linker's cache, as `ldconfig` would, and warns of libraries that programs and libraries of the base need and
 * that are not in it.
 */
export function setUpLibraries(tree: PackageTree, entries: readonly Entry[], architecture: string): readonly Warning[] {
  const target = targets[architecture]
  if (target === undefined) return []
  const files = elfFiles(entries).filter(({ elf }) => elf.machine === target.machine)
  const directories = searchDirectories(tree, target.triplet)
  const libraries = files.filter(({ path, elf }) => elf.isShared && directories.includes(splitPath(path).parent))
  const cache = loaderCache(cachedLibraries(tree, libraries), architecture)
  if (cache && libraries.length > 0) tree.write('etc/ld.so.cache', cache, publicFile)
  return missingLibraries(tree, files, directories)
}

/** Files that could be programs or libraries, read. */
function elfFiles(entries: readonly Entry[]): readonly Found[] {
  using reader = openContentReader()
  return entries.flatMap((entry): readonly Found[] => {
    if (entry.type !== 'file' || !entry.source) return []
    using content = reader.open(entry)
    const elf = readElf((bytes, position) => content.read(bytes, position), entry.size)
    return elf ? [{ path: entry.path, elf }] : []
  })
}

/** Real places of directories in which the linker looks: those of ld.so.conf(5), then its own. */
function searchDirectories(tree: PackageTree, triplet: string): readonly string[] {
  const own = [`lib/${triplet}`, `usr/lib/${triplet}`, 'lib', 'usr/lib', 'lib64', 'usr/lib64']
  const configured = tree
    .list('etc/ld.so.conf.d')
    .filter(name => name.endsWith('.conf'))
    .flatMap(name => tree.read(`etc/ld.so.conf.d/${name}`)?.toString('latin1').split('\n') ?? [])
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => line.startsWith('/'))
    .map(line => line.slice(1).replace(/\/+$/, ''))
  const existing = [...configured, ...own].filter(path => tree.found(tree.realPlace(path)) === 'directory')
  return [...new Set(existing.map(path => tree.realPlace(path)))]
}

/** By the name that a library gives itself, where that is a file beside it; else by its own. */
function cachedLibraries(tree: PackageTree, libraries: readonly Found[]): readonly CachedLibrary[] {
  const cached = new Map<string, CachedLibrary>()
  for (const { path, elf } of libraries) {
    const { parent, name } = splitPath(path)
    if (!/^(lib|ld-).*\.so/.test(name)) continue
    const wanted = elf.soname ?? name
    const isBeside = wanted === name || tree.found(`${parent}/${wanted}`) !== 'nothing'
    const at = `/${shown(parent)}/${isBeside ? wanted : name}`
    if (!cached.has(wanted)) cached.set(wanted, { name: wanted, path: at })
  }
  return [...cached.values()]
}

/** ldconfig names the directories of a merged /usr as programs do. */
function shown(directory: string): string {
  return directory.replace(/^usr\/(lib(?:64)?(?:\/|$))/, '$1')
}

function missingLibraries(
  tree: PackageTree,
  files: readonly Found[],
  directories: readonly string[],
): readonly Warning[] {
  const missing = new Map<string, string[]>()
  // One that is somewhere else is loaded by whoever knows where.
  const present = new Set(files.flatMap(({ path, elf }) => [splitPath(path).name, ...(elf.soname ? [elf.soname] : [])]))
  for (const { path, elf } of files) {
    const origin = splitPath(path).parent
    const own = elf.searchPath.map(text => text.replace(/\$ORIGIN|\$\{ORIGIN\}/g, `/${origin}`).replace(/^\//, ''))
    for (const name of elf.needed) {
      if (present.has(name)) continue
      const places = name.includes('/') ? [name] : [...own, ...directories].map(directory => `${directory}/${name}`)
      if (!places.some(place => tree.found(tree.realPlace(place)) === 'other')) {
        missing.set(name, [...(missing.get(name) ?? []), path])
      }
    }
  }
  return [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, users]) => ({
      code: 'BaseLacksLibrary',
      message: `${name} is not in the base, but /${users[0]} needs it${users.length > 1 ? `, and ${users.length - 1} more files` : ''}`,
      hint: 'list the package that has it under "packages", or leave out what needs it with "without"',
    }))
}
