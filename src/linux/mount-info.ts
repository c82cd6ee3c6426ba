import { readFileSync, realpathSync } from 'node:fs'

/** One line of `/proc/PID/mountinfo`, proc(5). */
export interface MountInfo {
  readonly id: number
  readonly parent: number
  /** Absolute, with the kernel's octal escapes undone. */
  readonly point: string
  /** Per-mount options: `ro`, `nosuid` … */
  readonly options: readonly string[]
  readonly type: string
}

/** Parses the whole table, in mount order. */
export function parseMountInfo(text: string): MountInfo[] {
  const out: MountInfo[] = []
  for (const line of text.split('\n')) {
    const fields = line.split(' ')
    const dash = fields.indexOf('-', 6)
    if (dash === -1) continue
    out.push({
      id: Number(fields[0]),
      parent: Number(fields[1]),
      point: unescapeOctal(fields[4] ?? ''),
      options: (fields[5] ?? '').split(','),
      type: fields[dash + 1] ?? '',
    })
  }
  return out
}

/** What is mounted in our own namespace, in mount order. */
export function ownMounts(): readonly MountInfo[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
}

/** The mount of our own namespace that holds what is at `path`, which must exist. */
export function mountAt(path: string): MountInfo | undefined {
  return mountOf(ownMounts(), realpathSync(path))
}

/** Mount points of what is mounted on `/` last and of everything mounted inside it. */
export function mountsOfTopRoot(table: readonly MountInfo[]): ReadonlySet<string> {
  const roots = table.filter(mount => mount.point === '/')
  const covered = new Set(roots.map(mount => mount.parent))
  const inside = new Set(roots.filter(mount => !covered.has(mount.id)).map(mount => mount.id))
  const points = new Set(inside.size > 0 ? ['/'] : [])
  // A mount comes after the one that it is mounted on, except where mounts were moved.
  for (let before = -1; before < inside.size; ) {
    before = inside.size
    for (const mount of table) if (inside.has(mount.parent)) inside.add(mount.id)
  }
  for (const mount of table) if (inside.has(mount.id)) points.add(mount.point)
  return points
}

const lockable = new Set(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'])

/**
 * Flags of the mount that holds the absolute, resolved `path`. In a user namespace a bind mount must keep them: the
 * kernel refuses a remount that would drop one.
 */
export function mountOptionsOf(table: readonly MountInfo[], path: string): readonly string[] {
  return mountOf(table, path)?.options.filter(option => lockable.has(option)) ?? []
}

function mountOf(table: readonly MountInfo[], path: string): MountInfo | undefined {
  let best: MountInfo | undefined
  for (const mount of table) {
    const covers = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`)
    if (covers && mount.point.length >= (best?.point.length ?? 0)) best = mount
  }
  return best
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
