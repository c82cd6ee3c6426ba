import type { Digest } from '#oci'
import type { MemberType, TarHeader } from '#tar'

/**
 * One file-system object of a layer. Besides what an archive can hold, a layer says "the name below is gone"
 * (`whiteout`) and "what the layers below have in this directory is hidden" (`opaque`, whose path is the directory's).
 */
export interface Entry extends Omit<TarHeader, 'type'> {
  /** Without leading slash; the root itself is the empty string. */
  readonly path: string
  readonly type: MemberType | 'whiteout' | 'opaque'
  /** Digest of a file's bytes, once known. */
  readonly content?: Digest
  /** Where a file's bytes can be read, where somebody has them. */
  readonly source?: ContentSource
}

/** Where the bytes of a file are. Entries that are placed somewhere else share the source. */
export type ContentSource = {
  /** The digest of those bytes. Whoever reads them first fills it in, for everyone who shares the source. */
  learnt?: Digest
} & (
  | {
      /** A whole file on disk. */
      readonly kind: 'file'
      readonly path: string
    }
  | {
      /** `Entry.size` bytes of a file on disk, from `offset`: a member of an uncompressed archive. */
      readonly kind: 'range'
      readonly path: string
      readonly offset: number
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
)

/** SHA-256 of nothing. */
const emptyContent = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Digest

/** The digest of a file's bytes, as far as it is known. */
export function contentOf(entry: Entry): Digest | undefined {
  return entry.content ?? entry.source?.learnt ?? (entry.type === 'file' && entry.size === 0 ? emptyContent : undefined)
}

/** Entries of one layer: parents before children, each path once (`opaque` beside its directory apart). */
export type LayerTree = readonly Entry[]

/** Splits `a/b/c` into `a/b` and `c`; the parent of a top-level name is the empty string. */
export function splitPath(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? { parent: '', name: path } : { parent: path.slice(0, slash), name: path.slice(slash + 1) }
}

/** Joins two entry paths; either may be empty. */
export function joinPath(parent: string, name: string): string {
  return parent === '' ? name : name === '' ? parent : `${parent}/${name}`
}

/**
 * A path of an archive or a user → an entry path: `.` and empty components dropped, `..` goes up but never above the
 * root.
 */
export function cleanPath(path: string): string {
  if (!/(^|\/)(\.{0,2})(\/|$)/.test(path)) return path
  const out: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') out.pop()
    else out.push(part)
  }
  return out.join('/')
}

/** Order of siblings and of archives: by path components, so that parents stand before children. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return x === 47 ? -1 : y === 47 ? 1 : x - y
  }
  return a.length - b.length
}
