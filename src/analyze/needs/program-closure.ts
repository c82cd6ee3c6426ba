import { UserError } from '#diagnostics'
import { cleanPath, lookup } from '#tree'
import {
  fileAt,
  findLibrary,
  librarySearch,
  type FileTree,
  type LibrarySearch,
  type LoadedObject,
} from './library-search.ts'

/** A program with all that its loader loads when it starts. */
export interface ProgramClosure {
  readonly program: LoadedObject
  /** Absent for one that is linked statically, or a library. */
  readonly interpreter?: string
  readonly search: LibrarySearch
  /** In the order of loading, the program itself left out. */
  readonly libraries: readonly LoadedObject[]
  /** NEEDED that nothing answers. */
  readonly missing: readonly { readonly name: string; readonly by: string }[]
}

/** Names under which musl's loader answers itself. */
const ownOfMusl = /^(lib(c|pthread|rt|m|dl|util|xnet)\.so|libc\.musl-[^/]+\.so\.1)$/

/** Follows NEEDED from an ELF file, breadth first, as the loader does. Undefined for a file that is no ELF. */
export function programClosure(
  tree: FileTree,
  path: string,
  environment: readonly string[],
): ProgramClosure | undefined {
  const entry = fileAt(tree, path)
  const elf = entry && tree.elf(entry)
  if (!elf) return undefined
  // The kernel tells the loader where the program really is.
  const program: LoadedObject = { path: lookup(tree, path).path, entry, elf }
  const search = librarySearch(tree, elf, environment)
  const loaded = new Map<string, LoadedObject>()
  const missing: { name: string; by: string }[] = []
  const queue: LoadedObject[] = [program]
  for (let object = queue.shift(); object; object = queue.shift()) {
    for (const name of object.elf.needed) {
      if (loaded.has(name) || missing.some(each => each.name === name)) continue
      if (search.libc === 'musl' && ownOfMusl.test(name)) continue
      const found = findLibrary(name, object, { tree, program, search })
      if (!found) {
        missing.push({ name, by: object.path })
        continue
      }
      loaded.set(name, found)
      if (found.elf.soname !== undefined && !loaded.has(found.elf.soname)) loaded.set(found.elf.soname, found)
      queue.push(found)
    }
  }
  const { interpreter } = elf
  return {
    program,
    ...(interpreter !== undefined && { interpreter: cleanPath(interpreter) }),
    search,
    libraries: [...new Set(loaded.values())],
    missing,
  }
}

/** What a script asks for in its first line (execve(2), "Interpreter scripts"). */
export interface Shebang {
  /** Without leading slash. */
  readonly interpreter: string
  /** The program that `env` looks for. */
  readonly command?: string
}

/** The interpreter of a text with `#!`; undefined where it has none. */
export function parseShebang(firstLine: string): Shebang | undefined {
  const [, interpreter, rest = ''] = /^#! *([^\s]+)[ \t]*(.*)$/.exec(firstLine) ?? []
  if (interpreter === undefined) return undefined
  if (!interpreter.endsWith('/env')) return { interpreter: cleanPath(interpreter) }
  const words = rest.trim().split(/\s+/)
  const command = words.find(word => word !== '' && !word.startsWith('-') && !/^\w+=/.test(word))
  return { interpreter: cleanPath(interpreter), ...(command !== undefined && { command }) }
}

/** Where a command is found in PATH. */
export function inPath(tree: FileTree, command: string, path: readonly string[]): string | undefined {
  if (command.includes('/')) return cleanPath(command)
  return path.map(directory => cleanPath(`${directory}/${command}`)).find(each => fileAt(tree, each))
}

/** A program that is asked for must be there. Throws a `UserError`. */
export function mustExist(tree: FileTree, path: string, image: string): void {
  if (fileAt(tree, path)) return
  throw new UserError(`${image} has no file "/${path}"`, { hint: 'give the absolute path of a program in the image' })
}
