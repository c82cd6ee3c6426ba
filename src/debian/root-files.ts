import type { Found } from './root-directory.ts'

/** Files of a system that is being made, wherever they are. Paths have no leading slash and are followed inside the root. */
export interface RootFiles {
  /** What stands at a path, its last part not followed. */
  found(path: string): Found
  /** Names in a directory, sorted. */
  list(path: string): readonly string[]
  /** A file's bytes, links followed; undefined for what is none. */
  read(path: string): Buffer | undefined
  /** Where a symbolic link leads, as it is written. */
  target(path: string): string | undefined
  /** Makes a file, or replaces what is no directory. Missing directories are made. */
  write(path: string, bytes: Uint8Array, attributes: FileAttributes): void
  /** Makes a directory, or changes the one that is there. */
  makeDirectory(path: string, attributes: FileAttributes): void
  /** Makes a symbolic link, or replaces what is no directory. */
  link(path: string, target: string, from?: Pick<FileAttributes, 'package'>): void
  remove(path: string): void
}

export interface FileAttributes {
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** The package that it belongs with. */
  readonly package?: string
}

/** Mode and owner of what everybody may read and only root may write. */
export const publicFile: FileAttributes = { mode: 0o644, uid: 0, gid: 0 }
export const publicDirectory: FileAttributes = { mode: 0o755, uid: 0, gid: 0 }
