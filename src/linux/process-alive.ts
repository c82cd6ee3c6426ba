import { readFileSync } from 'node:fs'

/**
 * When a process began: clock ticks since boot, field 22 of `/proc/PID/stat`; undefined when there is no such process.
 * With the id it names a process for good, since ids are used again.
 */
export function processStartTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the program's name, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie does nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19])
  } catch {
    return undefined
  }
}

/** Is the process that began at `startTime` still there? */
export function processIsAlive(pid: number, startTime: number): boolean {
  return processStartTime(pid) === startTime
}
