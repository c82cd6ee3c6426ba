import { statSync } from 'node:fs'

/** Hidden from a sandboxed command, as containerd and Docker do: they tell about the host or reach into it. */
export const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
] as const

/** Visible, but not writable. */
export const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const

/** Which of these paths this kernel has, and what they are. */
export function readableProcPaths(): ReadonlyMap<string, 'file' | 'directory'> {
  const found = new Map<string, 'file' | 'directory'>()
  for (const path of [...maskedPaths, ...readonlyPaths]) {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats) found.set(path, stats.isDirectory() ? 'directory' : 'file')
  }
  return found
}
