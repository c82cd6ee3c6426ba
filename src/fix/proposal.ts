import type { Study } from '#analyze'
import type { CopyInstruction, DockerfileTree } from '#dockerfile'
import type { LintFinding, StageView } from '#lint'

/** One change of a Dockerfile or of its ignore file, that makes the image smaller or builds quicker. */
export interface Proposal {
  readonly kind:
    | 'bind-mount'
    | 'set-owner'
    | 'cache-mount'
    | 'clean-in-run'
    | 'reorder'
    | 'join-runs'
    | 'dockerignore'
    | 'multi-stage'
    | 'other-base'
  /** One sentence: what is wrong, and what the change does. */
  readonly title: string
  /** Of the Dockerfile as it is before this change, from 1. */
  readonly line: number
  /** The whole Dockerfile afterwards. */
  readonly dockerfile: string
  /** The whole ignore file afterwards, where it changes. */
  readonly ignore?: string
  /**
   * Paths that are meant to be gone or other afterwards: a path stands for all below it; a name between slashes (`/.git/`)
   * for everything so called.
   */
  readonly differs: readonly string[]
  /** False: the tree is meant to be another one, so that it cannot be proven equal. */
  readonly keepsTree: boolean
  /** Bytes of file content that the image has afterwards, where the change says so by itself. */
  readonly estimate?: number
  /** Names the change over several rounds: kind and the words it starts from. */
  readonly key: string
}

/** What proposals are made from. */
export interface FixSubject {
  readonly tree: DockerfileTree
  readonly stages: readonly StageView[]
  readonly findings: readonly LintFinding[]
  /** The ignore file as it is; empty without one. */
  readonly ignore: string
  /** Whether the build context has a path, below its top. */
  readonly hasFile: (path: string) => boolean
  /** Of an image that was built from the file, where there is one. */
  readonly measured?: Measured
}

/** What is known from images. */
export interface Measured {
  readonly study: Study
  /** Images that may be smaller bases, by the name that FROM would have. */
  readonly bases: readonly { readonly name: string; readonly study: Study }[]
}

/** A replacement of a range of the text. */
export interface Change {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Makes changes that do not overlap. */
export function changed(text: string, changes: readonly Change[]): string {
  return changes
    .toSorted((a, b) => b.start - a.start || b.end - a.end)
    .reduce((out, { start, end, text: piece }) => out.slice(0, start) + piece + out.slice(end), text)
}

/** The line, from 1, at an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** The range of an instruction with its line end, so that nothing stays when it goes. */
export function wholeLines(text: string, { start, end }: { readonly start: number; readonly end: number }): Change {
  const first = text.lastIndexOf('\n', start - 1) + 1
  const last = text.indexOf('\n', end)
  return { start: first, end: last === -1 ? text.length : last + 1, text: '' }
}

/** An absolute path for what an instruction names; undefined where a variable decides. */
export function absolutePath(path: string, directory: string): string | undefined {
  const plain = path.replace(/^(["'])(.*)\1$/, '$2')
  if (/[$*?[]/.test(plain)) return undefined
  const parts = (plain.startsWith('/') ? plain : `${directory}/${plain}`)
    .split('/')
    .filter(part => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : `/${parts.join('/')}`
}

/** The working directory at a position of a stage, stages below it included. */
export function directoryAt({ instructions, below }: StageView, position: number): string {
  const before = [...below.toReversed().flatMap(stage => stage.instructions), ...instructions.slice(0, position)]
  return before.reduce(
    (directory, each) =>
      each.kind === 'workdir' ? (absolutePath(each.value.text, directory) ?? directory) : directory,
    '/',
  )
}

/** Paths of a COPY from the context. */
export function copiedPaths({ sources }: CopyInstruction): readonly string[] {
  return sources.flatMap(source => (source.kind === 'path' ? [source.path.text.replace(/^(["'])(.*)\1$/, '$2')] : []))
}

/** Where the sources of a COPY come to lie: the destination, or names in it. */
export function copyTargets(copy: CopyInstruction, directory: string): readonly string[] {
  const target = absolutePath(copy.destination.text, directory)
  if (target === undefined) return []
  const names = copiedPaths(copy).map(path => path.replace(/\/+$/, '').split('/').at(-1) ?? '')
  const into = /(?:^\.{1,2}|\/|\/\.)$/.test(copy.destination.text) || copy.sources.length > 1
  return [
    target,
    ...(into
      ? names.filter(name => name !== '' && name !== '.').map(name => `${target === '/' ? '' : target}/${name}`)
      : []),
  ]
}
