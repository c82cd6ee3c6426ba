import type { Entry } from '#tree'

/** An entry of root's with an ordinary mode and the time 0, but for what is given. */
export function madeEntry(path: string, type: Entry['type'] = 'file', more: Partial<Entry> = {}): Entry {
  const mode = type === 'directory' ? 0o755 : 0o644
  return { path, type, mode, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 }, ...more }
}
