import type { Study } from '../analyze-image.ts'
import { copyLines } from './copy-lines.ts'
import { compareNeeds, findNeeds, isNewer, type Need, type Needs, providedGlibc } from './find-needs.ts'
import { fileAt, type FileTree, programTree } from './library-search.ts'

/** What programs of an image need, and whether another one has it. Plain data. */
export interface NeedsReport extends Needs {
  readonly image: string
  /** Why the programs cannot run in their own image, one sentence each. */
  readonly problems: readonly string[]
  /** With another image: how it answers. */
  readonly in?: OtherImage
  /** Lines for a Dockerfile: of everything, or of what the other image lacks or has otherwise. */
  readonly copy: readonly string[]
  /** Bytes of everything, and of what is copied. */
  readonly bytes: number
  readonly copyBytes: number
}

export interface OtherImage {
  readonly name: string
  /** C libraries that it has. */
  readonly libc: readonly ('glibc' | 'musl')[]
  readonly glibc?: string
  /** Why the programs cannot run there as they are, one sentence each; empty where nothing speaks against it. */
  readonly problems: readonly string[]
}

export interface NeedsQuestion {
  /** Without leading slash. */
  readonly paths: readonly string[]
  readonly other?: Study
  /** The stage or image that COPY lines name. */
  readonly from: string
  /** Also what may be opened while the programs run. */
  readonly runTime: boolean
}

/** Answers for the final tree of an image. Throws a `UserError` for a path that it does not have. */
export function needsReport(study: Study, { paths, other, from, runTime }: NeedsQuestion): NeedsReport {
  const tree = programTree(study.trace.tree)
  const env = study.image.config.config.Env ?? []
  const found = findNeeds(tree, paths, { image: study.image.name, env })
  const wanted = found.needs.filter(({ kind }) => runTime || kind !== 'run-time')
  const otherTree = other && programTree(other.trace.tree)
  const needs = otherTree ? compareNeeds(wanted, tree, otherTree) : wanted
  const copied = needs.filter(({ there }) => there !== 'same')
  const { architecture } = study.image.config
  const foreign = found.architectures.filter(each => !runsOn(each, architecture))
  return {
    image: study.image.name,
    ...found,
    problems: foreign.map(each => `a program is for ${each}, ${study.image.name} is for ${architecture}`),
    needs,
    ...(other &&
      otherTree && { in: otherImage(found, needs, { name: other.image.name, tree: otherTree, study, other }) }),
    copy: copyLines(copied, from),
    bytes: sum(needs),
    copyBytes: sum(copied),
  }
}

function sum(needs: readonly Need[]): number {
  return needs.reduce((all, { bytes }) => all + bytes, 0)
}

interface Other {
  readonly name: string
  readonly tree: FileTree
  readonly study: Study
  readonly other: Study
}

function otherImage(
  { libc, glibc, architectures }: Needs,
  needs: readonly Need[],
  { name, tree, study, other }: Other,
): OtherImage {
  const there = librariesOf(tree)
  const provided = there.glibc
  const [own, theirs] = [study.image.config.architecture, other.image.config.architecture]
  const built = architectures.length > 0 ? architectures : [own]
  const foreign = built.filter(each => !runsOn(each, theirs))
  const libcs = [...(provided === undefined ? [] : ['glibc' as const]), ...(there.musl ? ['musl' as const] : [])]
  const wrongLibc = libc !== 'static' && libcs.length > 0 && !libcs.includes(libc)
  const needsNewer = libc === 'glibc' && glibc !== undefined && provided !== undefined && isNewer(glibc, provided)
  const mixed = needs.filter(({ kind, there: state }) => kind === 'loader' && state === 'different')
  const problems = [
    ...(foreign.length === 0 ? [] : [`the programs are for ${foreign.join(' and ')}, ${name} is for ${theirs}`]),
    ...(wrongLibc
      ? [
          `the programs are linked with ${title(libc)}, ${name} has ${libcs.map(title).join(' and ')}: its own libraries do not fit; the COPY lines bring the loader and all libraries of the programs`,
        ]
      : []),
    ...(needsNewer ? [`the programs ask for GLIBC_${glibc}, ${name} provides up to GLIBC_${provided}`] : []),
    ...(mixed.length > 0 && !needsNewer && !wrongLibc
      ? [`${name} has another version of the loader: copy the C library with it, or build on ${name}`]
      : []),
  ]
  return { name, libc: libcs, ...(provided !== undefined && { glibc: provided }), problems }
}

/** Processors also run the programs of these smaller ones. */
const smaller: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' }

/** Whether programs of one architecture start on another. */
function runsOn(program: string, machine: string): boolean {
  return program === machine || smaller[machine] === program
}

function title(libc: Needs['libc']): string {
  return libc === 'glibc' ? 'the GNU C library' : 'musl'
}

/** Where the C libraries of distributions lie. */
function librariesOf(tree: FileTree): { readonly glibc: string | undefined; readonly musl: boolean } {
  const directories = ['lib', 'usr/lib', 'lib64', 'usr/lib64']
  const all = directories.flatMap(directory => [
    directory,
    ...tree
      .list(directory)
      .filter(name => name.includes('-linux-gnu'))
      .map(name => `${directory}/${name}`),
  ])
  const libc = all.map(directory => fileAt(tree, `${directory}/libc.so.6`)).find(Boolean)
  const musl = all.some(directory => tree.list(directory).some(name => /^ld-musl-.*\.so/.test(name)))
  return { glibc: libc && (providedGlibc(tree.elf(libc)) ?? '0.0'), musl }
}
