import type { Digest } from '#oci'
import type { MemberType, TarHeader } from '#tar'

/**
 * One file-system object of a layer. Besides what an archive can hold, a layer says "the name below is gone"
 * (`whiteout`) and "the directory below is hidden" (`opaque`, whose path is the directory's).
 */
export interface Entry extends Omit<TarHeader, 'type'> {
  /** Without leading slash; the root itself is the empty string. */
  readonly path: string
  readonly type: MemberType | 'whiteout' | 'opaque'
  /** Digest of a file's bytes, once known. */
  readonly content?: Digest
}

/** Entries of one layer, parents before children, siblings by code unit. */
export type LayerTree = readonly Entry[]
