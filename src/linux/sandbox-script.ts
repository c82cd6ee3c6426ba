import type { HostTools } from './host-tools.ts'

/**
 * The new root as a path of the host's side. It is mounted over the root of the namespace, where paths that begin with
 * `/` still find the host's files and tools: the kernel enters what is mounted on the root only through `..`. Since
 * nothing is above it, `..` out of a forgotten directory (the classic way out of a chroot) ends there, too.
 */
export const newRoot = '/..'

/**
 * File descriptors of a sandbox's processes until the command starts: what the tools complain about goes to us, through
 * the same channel as the words of the set-up, and the command's own standard error waits.
 */
export const statusFd = 2
export const commandErrorFd = 3
/** Ends with our process. Only for a sandbox that has a keeper of its own. */
export const lifelineFd = 4

/**
 * A keeper (`sandbox-keeper.ts`) of one sandbox alone: the first process of a pid namespace around it. It runs the rest,
 * ends as that did, and has a child that waits for the end of the lifeline and then kills everything in the namespace.
 *
 * That child is born with the signals ignored which may reach the whole group: it has to outlive everything else.
 */
export const ownKeeperScript = `
trap '' HUP INT TERM QUIT
( exec ${commandErrorFd}>&- >/dev/null 2>&1; read -r _ <&${lifelineFd}; while :; do kill -KILL -1; done ) &
trap - HUP INT TERM QUIT
exec ${lifelineFd}<&-
"$@"
exit $?
`

/** A round of mounts; directories and files are made before it, inside a tmpfs of the round before. */
export interface MountRound {
  /** Name of the table below the scratch directory. */
  readonly table: string
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

/**
 * The first process of the sandbox's pid namespace, which becomes the command. Its arguments: what to execute. Working
 * directory: the one that overlay options are relative to.
 */
export function setupScript(
  host: HostTools,
  options: {
    readonly rounds: readonly MountRound[]
    readonly hostname: string
    readonly loopback: boolean
  },
): string {
  const mount = `${quote(host.mount)} -n -i -c`
  const lines = ['umask 0022']
  for (const { table, directories, files } of options.rounds) {
    if (directories.length > 0) lines.push(`${quote(host.mkdir)} -p -- ${directories.map(quote).join(' ')} || exit 125`)
    for (const file of files) lines.push(`: > ${quote(file)} || exit 125`)
    lines.push(`${mount} -a -T ${quote(`../${table}`)} || exit 125`)
  }
  lines.push(hostnameLine(host, options.hostname))
  if (options.loopback && host.loopbackUp) lines.push(`${host.loopbackUp.map(quote).join(' ')} || exit 125`)
  lines.push(
    // Our process now compares the mount table with the plan and answers.
    `echo mounted >&${statusFd}`,
    `read -r go <&${statusFd} || exit 125`,
    '[ "$go" = go ] || exit 125',
    `echo started >&${statusFd} || exit 125`,
    `exec ${statusFd}>&${commandErrorFd} ${commandErrorFd}>&-`,
    'exec "$@"',
  )
  return `${lines.join('\n')}\n`
}

/** A write to the kernel needs no process; in a user namespace it is refused and hostname(1) has to do it. */
function hostnameLine(host: HostTools, hostname: string): string {
  const byKernel = `echo ${quote(hostname)} 2>/dev/null >/proc/sys/kernel/hostname`
  return `{ ${byKernel}; } 2>/dev/null || ${host.hostname ? `${quote(host.hostname)} ${quote(hostname)}` : 'false'} || exit 125`
}

/** A word for the shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
