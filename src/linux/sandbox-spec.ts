/** A directory or file of the host inside the sandbox. */
export interface BindMount {
  readonly kind: 'bind'
  /** Absolute path on the host. */
  readonly source: string
  readonly target: string
  readonly readonly: boolean
  /** Also what is mounted below the source. Not together with `readonly`, which could not reach those mounts. */
  readonly recursive?: boolean
  /** What the source is; default `directory`. */
  readonly type?: 'file' | 'directory'
}

export interface TmpfsMount {
  readonly kind: 'tmpfs'
  readonly target: string
  /** Bytes; default: half of the memory. */
  readonly size?: number
  /** Permission bits of its root; default 0o1777. */
  readonly mode?: number
}

export interface OverlayMount {
  readonly kind: 'overlay'
  readonly target: string
  /** Topmost first; may be empty. */
  readonly lower: readonly string[]
  readonly upper: string
  readonly work: string
}

/**
 * Something mounted inside the sandbox. `target` is absolute inside the root, normalised, resolved (no symbolic link on
 * the way) and exists: in the root, or in the source of the earlier bind mount that covers it. Only below an earlier
 * tmpfs of the list it is made here.
 */
export type SandboxMount = BindMount | TmpfsMount | OverlayMount

/** What becomes `/`. All paths absolute. */
export type SandboxRoot =
  | {
      readonly kind: 'overlay'
      /** Topmost first; may be empty; at most 500. */
      readonly lower: readonly string[]
      readonly upper: string
      readonly work: string
      /** Skip every sync (kernel 5.10): for an upper directory that the caller makes durable itself afterwards. */
      readonly volatile?: boolean
    }
  | { readonly kind: 'directory'; readonly path: string }

export interface ResourceLimit {
  /** As docker names it: `nofile`, `nproc`, `core` … */
  readonly name: string
  /** -1: unlimited. */
  readonly soft: number
  readonly hard: number
}

/** One command in its own mount, pid, ipc and uts namespace. */
export interface SandboxSpec {
  readonly root: SandboxRoot
  /** Applied in order after the standard ones. */
  readonly mounts: readonly SandboxMount[]
  /**
   * Where a standard mount point really is, when a symbolic link of the root is on the way: `/etc/resolv.conf` →
   * `/run/systemd/resolve/stub-resolv.conf`. Without an entry the path itself is used.
   */
  readonly resolved?: ReadonlyMap<string, string>
  /** At least the program; without a slash it is looked up in the PATH of `env`, inside the root. */
  readonly argv: readonly string[]
  /** `NAME=value`: exactly what the process gets. */
  readonly env: readonly string[]
  /** Absolute inside the root; exists. */
  readonly workdir: string
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
  readonly hostname: string
  /** `none`: an own network namespace in which only the loopback interface is up. */
  readonly network: 'host' | 'none'
  /** `sandbox`: Docker's default capabilities and masks. `insecure`: all capabilities, no masks, devices work. */
  readonly privileges: 'sandbox' | 'insecure'
  /** Content of `/etc/hosts`. */
  readonly hosts: string
  /** Content of `/etc/resolv.conf`. */
  readonly resolvConf: string
  /** Bytes of `/dev/shm`; default 64 MiB. */
  readonly shmSize?: number
  readonly ulimits?: readonly ResourceLimit[]
  /** Absolute path of an empty directory for this run; the caller removes it afterwards. */
  readonly scratch: string
  /** `pipe`: standard input is empty, output goes to `onOutput`. `inherit`: our own three streams and terminal. */
  readonly stdio: 'pipe' | 'inherit'
  /**
   * Absolute paths of programs that exist in the root. One of them is needed only when `env` holds a variable that
   * steers the dynamic loader or the C library (see `passEnvironment`).
   */
  readonly inRoot?: { readonly env?: string; readonly sh?: string }
}
