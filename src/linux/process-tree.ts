import { readdirSync, readFileSync } from 'node:fs'

/**
 * The command below `pid` (unshare → command, or with a keeper of its own unshare → keeper → unshare → command), or
 * undefined before it exists. That keeper has a second, childless child that watches the lifeline.
 */
export function commandBelow(pid: number, hasOwnKeeper: boolean): number | undefined {
  const first = childrenOf(pid)[0]
  if (first === undefined || !hasOwnKeeper) return first
  return childrenOf(first).flatMap(childrenOf)[0]
}

/** All processes below `pid`, parents before children. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap(child => [child, ...descendantsOf(child)])
}

/** Process ids of the direct children, oldest first. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return childrenByScan(pid)
  }
}

/** For kernels without the `children` file. */
function childrenByScan(parent: number): number[] {
  const out: number[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent) out.push(Number(name))
    } catch {
      // Ended meanwhile.
    }
  }
  return out.sort((a, b) => a - b)
}

/** Sends a signal to a process that may have ended meanwhile; a negative id names a group. */
export function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Already gone.
  }
}
