import { readFileSync } from 'node:fs'

/** How many processes the kernel's out-of-memory killer has ended since boot, in all groups (kernel 4.13; else 0). */
export function countOomKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
