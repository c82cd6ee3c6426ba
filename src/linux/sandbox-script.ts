import type { HostTools } from './host-tools.ts'

/**
 * The new root as a path of the host's side. It is mounted over the root of the namespace, where paths that begin with
 * `/` still find the host's files and tools: the kernel enters what is mounted on the root only through `..`. Since
 * nothing is above it, `..` out of a forgotten directory (the classic way out of a chroot) ends there, too.
 */
export const newRoot = '/..'

/** File descriptors of a sandbox's processes besides the three streams. */
export const statusFd = 3
export const lifelineFd = 4

/**
 * The first process of the outer pid namespace. It runs the rest, reports how that ended, and has a child that waits for
 * the end of the lifeline: when our process is gone, or lets go, everything in the namespace is killed. When this
 * process ends, for whatever reason, the kernel kills what is left.
 *
 * That child is born with the signals ignored which may reach the whole group: it has to outlive everything else.
 *
 * The parent-death signal alone would not do: the kernel forgets it as soon as a process changes its user.
 */
export const keeperScript = `
trap '' HUP INT TERM QUIT
( exec 3>&- >/dev/null 2>&1; read -r _ <&4; while :; do kill -KILL -1; done ) &
trap - HUP INT TERM QUIT
exec 5>&2 2>&3 4<&-
"$@"
code=$?
echo "exit $code" >&3
exit "$code"
`

/** A round of mounts; directories and files are made before it, inside a tmpfs of the round before. */
export interface MountRound {
  /** Name of the table below the scratch directory. */
  readonly table: string
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

/**
 * The first process of the inner pid namespace, which becomes the command. Its arguments: what to
 * execute. Working directory: the one that overlay options are relative to. Standard error goes to the status channel,
 * the command's own is descriptor 5.
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
    'echo mounted >&3',
    'read -r go <&3 || exit 125',
    '[ "$go" = go ] || exit 125',
    'echo started >&3 || exit 125',
    'exec 2>&5 3>&- 5>&-',
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
