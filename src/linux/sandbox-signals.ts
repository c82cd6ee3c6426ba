import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Signals that we hand on; those of the keyboard reach the command through the terminal. */
const forwarded = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
const fromKeyboard = ['SIGINT', 'SIGQUIT'] as const

/** While it lasts, our process hands signals on to the sandbox's command and does not end by those of the keyboard. */
export function forwardSignals(child: ChildProcess): Disposable {
  const handOn = (name: NodeJS.Signals): void => {
    const target = child.pid === undefined ? undefined : innermostProcess(child.pid)
    try {
      if (target !== undefined) process.kill(target, name)
    } catch {
      // Already gone.
    }
  }
  const ignore = (): void => {}
  for (const name of forwarded) process.on(name, handOn)
  for (const name of fromKeyboard) process.on(name, ignore)
  return {
    [Symbol.dispose]() {
      for (const name of forwarded) process.off(name, handOn)
      for (const name of fromKeyboard) process.off(name, ignore)
    },
  }
}

/**
 * The command below `pid` (unshare → keeper → unshare → command), or undefined before it exists. The keeper has a
 * second, childless child that watches the lifeline.
 */
export function innermostProcess(pid: number): number | undefined {
  const keeper = childrenOf(pid)[0]
  if (keeper === undefined) return undefined
  return childrenOf(keeper).flatMap(childrenOf)[0]
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
