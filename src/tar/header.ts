/** A point in time: seconds since 1970 (may be negative) and nanoseconds 0..999,999,999 to add. */
export interface Time {
  readonly seconds: number
  readonly nanoseconds: number
}

export interface Device {
  readonly major: number
  readonly minor: number
}

export type MemberType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'char' | 'block'

/** One member of an archive. */
export interface TarHeader {
  /** As in the archive but without trailing slash; names that are not UTF-8 as `decodeName` gives them. */
  readonly path: string
  readonly type: MemberType
  /** Permission bits, 0..07777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content; 0 for everything but files. */
  readonly size: number
  readonly mtime: Time
  /** Target of a symlink (verbatim) or of a hard link (a member's path). */
  readonly link?: string
  readonly device?: Device
  /** Extended attributes, full names (`security.capability`), sorted by name. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
}
