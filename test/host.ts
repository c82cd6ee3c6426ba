import { spawnSync } from 'node:child_process'

/** What this machine offers to the tests; they skip with these words where something is missing. */

export const isRoot = process.getuid?.() === 0

/** Mount namespaces can be made here, which RUN needs. */
export const canSandbox =
  isRoot && succeeds('unshare', '--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'x', '/mnt')

/** Whether a program is on PATH. */
export function hasTool(name: string): boolean {
  return succeeds('sh', '-c', `command -v ${name}`)
}

/** The command of a Docker engine that answers, if there is one. */
export const docker: string | undefined = ['docker', '/usr/bin/docker'].find(command =>
  succeeds(command, 'version', '--format', '{{.Server.Version}}'),
)

function succeeds(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0
}
