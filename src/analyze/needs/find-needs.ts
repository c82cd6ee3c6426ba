import { openContentReader } from '#layer'
import { contentOf, type Entry, lookup } from '#tree'
import { loadsAtRunTime, runtimeHints } from './dlopen-hints.ts'
import type { ElfFile } from './elf-file.ts'
import { architectureOf, fileAt, type FileTree } from './library-search.ts'
import { inPath, mustExist, parseShebang, programClosure, type ProgramClosure } from './program-closure.ts'

/** One file or directory that a program needs. */
export interface Need {
  /** As it is opened, without leading slash; a directory's ends in a slash. */
  readonly path: string
  readonly kind: 'program' | 'interpreter' | 'loader' | 'library' | 'loader-config' | 'run-time'
  /** Who asks for it, or why it may be opened. */
  readonly why: string
  /** Where links on the way lead, where that is another path. */
  readonly target?: string
  /** Bytes of the file; of a directory, those of all files below it. */
  readonly bytes: number
  /** With `--in`: whether the other image has it. */
  readonly there?: 'same' | 'different' | 'missing'
}

/** What programs need of an image. Plain data. */
export interface Needs {
  readonly needs: readonly Need[]
  /** Libraries that the image itself does not have. */
  readonly broken: readonly { readonly name: string; readonly by: string }[]
  readonly libc: 'glibc' | 'musl' | 'static'
  /** The newest version of the GNU C library that any of them asks for. */
  readonly glibc?: string
  /** What the programs and interpreters are built for, as images call it. */
  readonly architectures: readonly string[]
  /** Some object loads others by name while it runs: what they are cannot be told for certain. */
  readonly loadsAtRunTime: boolean
}

export interface NeedsOptions {
  /** How errors call the image. */
  readonly image: string
  /** `NAME=value` of the image: PATH and LD_LIBRARY_PATH count. */
  readonly env: readonly string[]
}

/**
 * Everything that the programs at `paths` need to start, and what they may open while they run. Throws a `UserError` for
 * a path that the tree does not have.
 */
export function findNeeds(tree: FileTree, paths: readonly string[], { image, env }: NeedsOptions): Needs {
  const draft: Draft = { tree, needs: new Map(), closures: [], broken: [], env }
  for (const path of paths) {
    mustExist(tree, path, image)
    addProgram(path, { kind: 'program', why: 'asked for' }, draft)
  }
  const closures = draft.closures
  for (const closure of closures) {
    for (const { path, why } of runtimeHints(tree, closure)) addNeed(path, { kind: 'run-time', why }, draft)
  }
  const glibc = newestGlibc(closures)
  return {
    needs: [...draft.needs.values()],
    broken: draft.broken,
    libc: closures.find(({ interpreter }) => interpreter !== undefined)?.search.libc ?? 'static',
    ...(glibc !== undefined && { glibc }),
    architectures: [...new Set(closures.flatMap(({ program }) => architectureOf(program.elf) ?? []))],
    loadsAtRunTime: closures.some(loadsAtRunTime),
  }
}

interface Draft {
  readonly tree: FileTree
  readonly needs: Map<string, Need>
  readonly closures: ProgramClosure[]
  readonly broken: { name: string; by: string }[]
  readonly env: readonly string[]
}

function addNeed(path: string, { kind, why }: Pick<Need, 'kind' | 'why'>, { tree, needs }: Draft): void {
  if (needs.has(path)) return
  const plain = path.replace(/\/$/, '')
  const target = lookup(tree, plain).path
  const bytes = path.endsWith('/') ? sizeBelow(tree, target) : (fileAt(tree, path)?.size ?? 0)
  needs.set(path, { path, kind, why, ...(target !== plain && { target }), bytes })
}

function sizeBelow(tree: FileTree, directory: string): number {
  return tree.list(directory).reduce((sum, name) => {
    const path = directory === '' ? name : `${directory}/${name}`
    const entry = tree.get(path)
    return sum + (entry?.type === 'directory' ? sizeBelow(tree, path) : (entry?.size ?? 0))
  }, 0)
}

const deepestScript = 5

/** A program, or a script with the program that interprets it. */
function addProgram(path: string, about: Pick<Need, 'kind' | 'why'>, draft: Draft, depth = 0): void {
  const { tree, env } = draft
  const isKnown = draft.needs.has(path)
  addNeed(path, about, draft)
  if (isKnown || depth > deepestScript) return
  const libraryPath = variable(env, 'LD_LIBRARY_PATH')?.split(':').filter(Boolean) ?? []
  const closure = programClosure(tree, path, libraryPath)
  if (closure) {
    addClosure(closure, draft)
    return
  }
  const entry = fileAt(tree, path)
  const shebang = entry && parseShebang(firstLine(entry))
  if (!shebang) return
  const why = `interprets /${path}`
  for (const each of [shebang.interpreter, shebang.command]) {
    if (each === undefined) continue
    const found = fileAt(tree, each) ? each : inPath(tree, each, searchPath(env))
    if (found === undefined) draft.broken.push({ name: each, by: path })
    else addProgram(found, { kind: 'interpreter', why }, draft, depth + 1)
  }
}

function addClosure(closure: ProgramClosure, draft: Draft): void {
  const { tree } = draft
  draft.closures.push(closure)
  draft.broken.push(...closure.missing)
  if (closure.interpreter !== undefined) {
    if (fileAt(tree, closure.interpreter)) {
      addNeed(closure.interpreter, { kind: 'loader', why: `loads /${closure.program.path}` }, draft)
    } else draft.broken.push({ name: closure.interpreter, by: closure.program.path })
  }
  let configured = false
  const loader = closure.interpreter === undefined ? undefined : lookup(tree, closure.interpreter).path
  for (const { path, by } of closure.libraries) {
    // Many libraries name the loader itself, which is there already.
    if (lookup(tree, path).path === loader) continue
    addNeed(path, { kind: 'library', why: `for /${by?.path ?? ''}` }, draft)
    configured ||= closure.search.configured.some(directory => path.startsWith(`${directory}/`))
  }
  if (!configured) return
  const why = 'says where some of the libraries lie'
  const config =
    closure.search.libc === 'musl' ? musl(closure) : ['etc/ld.so.cache', 'etc/ld.so.conf', 'etc/ld.so.conf.d/']
  for (const path of config) {
    if (path.endsWith('/') ? tree.list(path.slice(0, -1)).length > 0 : fileAt(tree, path)) {
      addNeed(path, { kind: 'loader-config', why }, draft)
    }
  }
}

function musl({ interpreter = '' }: ProgramClosure): string[] {
  const name = /(ld-musl-[^/]+)\.so/.exec(interpreter)?.[1]
  return name === undefined ? [] : [`etc/${name}.path`]
}

function firstLine(entry: Entry): string {
  if (entry.source === undefined) return ''
  using reader = openContentReader()
  using content = reader.open(entry)
  const bytes = Buffer.alloc(Math.min(entry.size, 256))
  content.read(bytes, 0)
  return bytes.toString('latin1').split('\n', 1)[0] ?? ''
}

function variable(env: readonly string[], name: string): string | undefined {
  return env.findLast(line => line.startsWith(`${name}=`))?.slice(name.length + 1)
}

function searchPath(env: readonly string[]): readonly string[] {
  return (variable(env, 'PATH') ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin').split(':')
}

/** Symbol versions that objects ask of the C library: `GLIBC_2.34`. */
function newestGlibc(closures: readonly ProgramClosure[]): string | undefined {
  const versions = closures.flatMap(({ program, libraries }) =>
    [program, ...libraries.filter(({ path }) => !/\/(libc\.so|ld-linux)/.test(path))].flatMap(each =>
      glibcVersions(each.elf.names()),
    ),
  )
  return newest(versions)
}

function glibcVersions(names: ReadonlySet<string>): string[] {
  return [...names].flatMap(name => /^GLIBC_(\d+\.\d+)(\.\d+)?$/.exec(name)?.[1] ?? [])
}

function newest(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (best, each) => (best === undefined || isNewer(each, best) ? each : best),
    undefined,
  )
}

/** Of two versions `MAJOR.MINOR`. */
export function isNewer(a: string, b: string): boolean {
  const [[x = 0, y = 0], [u = 0, v = 0]] = [a, b].map(each => each.split('.').map(Number)) as [number[], number[]]
  return x === u ? y > v : x > u
}

/** The GNU C library of a tree: the newest symbol version that it provides; undefined where there is none. */
export function providedGlibc(libc: ElfFile | undefined): string | undefined {
  return libc === undefined ? undefined : newest(glibcVersions(libc.names()))
}

/** Whether another tree has what is needed, file by file. */
export function compareNeeds(needs: readonly Need[], from: FileTree, other: FileTree): readonly Need[] {
  return needs.map(need => ({ ...need, there: compare(need.path.replace(/\/$/, ''), from, other) }))
}

function compare(path: string, from: FileTree, other: FileTree): NonNullable<Need['there']> {
  const [one, two] = [from, other].map(tree => {
    const found = lookup(tree, path)
    return found.entry ? { path: found.path, entry: found.entry } : undefined
  })
  if (!one || !two) return 'missing'
  if (one.entry.type === 'directory' && two.entry.type === 'directory')
    return compareDirectories(one.path, two.path, { from, other })
  return one.entry.type === two.entry.type &&
    one.entry.size === two.entry.size &&
    contentOf(one.entry) === contentOf(two.entry)
    ? 'same'
    : 'different'
}

/** Everything of the first is in the second, with the same content. */
function compareDirectories(
  one: string,
  two: string,
  trees: { from: FileTree; other: FileTree },
): 'same' | 'different' {
  const isSame = trees.from.list(one).every(name => {
    const [a, b] = [trees.from.get(`${one}/${name}`), trees.other.get(`${two}/${name}`)]
    if (!a || !b || a.type !== b.type) return false
    if (a.type === 'directory') return compareDirectories(`${one}/${name}`, `${two}/${name}`, trees) === 'same'
    return a.link === b.link && contentOf(a) === contentOf(b)
  })
  return isSame ? 'same' : 'different'
}
