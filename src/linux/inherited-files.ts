import { readdirSync, readFileSync } from 'node:fs'
import { check, libc } from './libc.ts'

const closeOnExecFlag = 0o2000000
const setDescriptorFlags = 2
const closeOnExec = 1

/** Only an exec can bring such files, so looking once is enough. */
const looked = { done: false }

/**
 * Keeps files that whoever started us left open away from our children: for a sandboxed command, one open directory of
 * the host would be the way out. Node opens everything close-on-exec, so only inherited ones lack that mark.
 */
export function keepInheritedFiles(): void {
  if (looked.done) return
  looked.done = true
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd <= 2 || descriptorFlags(fd) & closeOnExecFlag) continue
    check(libc().fcntl(fd, setDescriptorFlags, closeOnExec), 'fcntl')
  }
}

/** As `/proc/self/fdinfo` says; close-on-exec for one that is closed again, such as that of the listing itself. */
function descriptorFlags(fd: number): number {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
    return Number.parseInt(/^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? '0', 8)
  } catch {
    return closeOnExecFlag
  }
}
