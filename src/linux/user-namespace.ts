import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { Socket } from 'node:net'
import { constants, userInfo } from 'node:os'
import { UserError } from '#diagnostics'
import { forwardSignals } from './forward-signals.ts'
import { findProgram, hostSearchPath } from './host-tools.ts'
import { type IdRange, idMapArguments, readSubordinateIds } from './subordinate-ids.ts'

/** Set for the process inside a user namespace that `enterUserNamespace` made. */
export const userNamespaceMarker = 'SLIPWAY_USER_NAMESPACE'

export interface EnterOptions {
  /** Environment of the new process; the marker is added. */
  readonly env: NodeJS.ProcessEnv
}

/** How an ordinary user can become root in a user namespace. */
export type UserMapping =
  /** All subordinate ids: images with several users work. */
  | {
      readonly kind: 'ranges'
      readonly uids: readonly IdRange[]
      readonly gids: readonly IdRange[]
      readonly newuidmap: string
      readonly newgidmap: string
    }
  /** Only the user's own id: everything belongs to root, other users don't exist. */
  | { readonly kind: 'single'; readonly reason: string }

/** An ordinary user need not stand in /etc/passwd: then the number is its name. */
function ownUser(): { readonly name: string; readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  try {
    return { name: userInfo().username, uid, gid }
  } catch {
    return { name: String(uid), uid, gid }
  }
}

/** What this user may map. `path`: the PATH to search. */
export function findUserMapping(path: string | undefined): UserMapping {
  const { name, uid } = ownUser()
  const uids = readSubordinateIds('/etc/subuid', { name, uid })
  const gids = readSubordinateIds('/etc/subgid', { name, uid })
  if (uids.length === 0 || gids.length === 0) {
    return { kind: 'single', reason: `no range for ${name} in ${uids.length === 0 ? '/etc/subuid' : '/etc/subgid'}` }
  }
  const searchPath = hostSearchPath(path)
  const newuidmap = findProgram('newuidmap', searchPath)
  const newgidmap = findProgram('newgidmap', searchPath)
  if (newuidmap === undefined || newgidmap === undefined) {
    return { kind: 'single', reason: 'newuidmap and newgidmap are missing (package uidmap)' }
  }
  return { kind: 'ranges', uids, gids, newuidmap, newgidmap }
}

/**
 * For an ordinary user: runs `argv` (usually this very program again) as root of a new user namespace with its own mount
 * namespace, and waits for it. Standard streams are ours, signals are handed on, and it is killed when we die. Returns
 * its exit code (128 + n for signal n). Throws a `UserError` when this machine does not allow it.
 */
export async function enterUserNamespace(argv: readonly string[], options: EnterOptions): Promise<number> {
  const path = hostSearchPath(options.env['PATH'])
  const tools = {
    unshare: findProgram('unshare', path),
    setpriv: findProgram('setpriv', path),
    sh: findProgram('sh', path),
  }
  const { unshare, setpriv, sh } = tools
  if (unshare === undefined || setpriv === undefined || sh === undefined) {
    throw new UserError('a user namespace needs unshare and setpriv', { hint: 'install the package util-linux' })
  }
  const mapping = findUserMapping(options.env['PATH'])
  // The shell waits until its ids are mapped. What it executes then is root, with all capabilities of the namespace.
  const script = 'echo ready >&3; read -r go <&3 || exit 125; [ "$go" = go ] || exit 125; exec 3>&-; exec "$@"'
  const become = [setpriv, '--pdeathsig', 'KILL', '--', ...argv]
  const map = mapping.kind === 'single' ? ['--map-root-user'] : []
  const child = spawn(unshare, ['--user', '--mount', ...map, '--', sh, '-c', script, 'sh', ...become], {
    env: { ...options.env, [userNamespaceMarker]: '1' },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  })
  using _signals = forwardSignals(name => void child.kill(name))
  const ready = answerWhenReady(child, mapping)
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    },
  )
  if (ready.error !== undefined) throw ready.error
  if (!ready.done) {
    throw new UserError('this machine does not let ordinary users make user namespaces', {
      hint: 'run as root, or allow it (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces); see "slipway doctor"',
    })
  }
  return code ?? 128 + (signal ? constants.signals[signal] : 0)
}

function answerWhenReady(child: ChildProcess, mapping: UserMapping): { done: boolean; error: UserError | undefined } {
  const state: { done: boolean; error: UserError | undefined } = { done: false, error: undefined }
  const socket = child.stdio[3] as Socket
  socket.on('error', () => {})
  socket.on('data', () => {
    if (state.done || state.error !== undefined) return
    state.error = mapping.kind === 'ranges' ? writeMaps(child.pid ?? 0, mapping) : undefined
    state.done = state.error === undefined
    socket.write(state.done ? 'go\n' : 'no\n')
  })
  return state
}

function writeMaps(pid: number, mapping: UserMapping & { kind: 'ranges' }): UserError | undefined {
  const { uid, gid } = ownUser()
  const maps = [
    [mapping.newuidmap, idMapArguments(uid, mapping.uids)],
    [mapping.newgidmap, idMapArguments(gid, mapping.gids)],
  ] as const
  for (const [tool, words] of maps) {
    const { status, stderr } = spawnSync(tool, [String(pid), ...words], { encoding: 'utf8' })
    if (status !== 0) {
      return new UserError('the subordinate ids could not be mapped', {
        hint: 'newuidmap and newgidmap must be setuid root (package uidmap), on a file system that is not nosuid',
        details: (stderr ?? '').trim().split('\n'),
      })
    }
  }
  return undefined
}
