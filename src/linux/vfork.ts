import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as Koffi from 'koffi'
import { check, cString, libc, systemError } from './libc.ts'

/** What to start. */
export interface ProcessSpec {
  /** An absolute path, and the words that the program sees. */
  readonly file: string
  readonly argv: readonly string[]
  /** `NAME=value`. */
  readonly env: readonly string[]
  /** Absolute. */
  readonly cwd: string
  /** Which of ours are its descriptors 0, 1, 2 … What else is open here is closed on exec, as node opens everything. */
  readonly files: readonly number[]
}

/** How a process ended: the exit code, or the number of the signal. */
export type ProcessEnd = { readonly code: number } | { readonly signal: number }

/**
 * Starting processes as posix_spawn(3) does: node copies the tables of its whole memory for each (fork), which takes
 * milliseconds, and afterwards every page that it writes to is copied.
 */
export interface Vfork {
  /**
   * Starts a program in a session of its own, without signals ignored or blocked; returns the id of the process. Throws
   * as `node:fs` does: `E2BIG`, `ENOENT` …
   */
  readonly start: (spec: ProcessSpec) => number
  /** How a child ended, once: its id is free then. Undefined as long as it has not. */
  readonly reap: (pid: number) => ProcessEnd | undefined
  /** Two connected sockets, closed on exec. */
  readonly socketPair: () => readonly [number, number]
}

const loaded: { vfork?: Vfork | undefined; looked?: true } = {}

/** Undefined where the C library lacks something of it. */
export function vfork(): Vfork | undefined {
  if (!loaded.looked) {
    loaded.looked = true
    try {
      loaded.vfork = bind(createRequire(import.meta.url)('koffi') as typeof Koffi)
    } catch {
      // An old C library.
    }
  }
  return loaded.vfork
}

/** More than any C library's `posix_spawnattr_t` (336 bytes) or `posix_spawn_file_actions_t` (80) takes. */
const structureSize = 1024
const sigsetSize = 128
const flags = { setSignalDefaults: 0x04, setSignalMask: 0x08, setSession: 0x80 } as const
const unixDomain = 1
const streamCloseOnExec = 1 | 0o2000000
const noHang = 1

function bind(koffi: typeof Koffi): Vfork {
  const self = koffi.load(null)
  const posixSpawn = self.func(
    'int posix_spawn(_Out_ int *pid, void *path, void *actions, void *attributes, void *argv, void *envp)',
  )
  const initActions = self.func('int posix_spawn_file_actions_init(void *actions)')
  const destroyActions = self.func('int posix_spawn_file_actions_destroy(void *actions)')
  const addDup2 = self.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int target)')
  const addChdir = self.func('int posix_spawn_file_actions_addchdir_np(void *actions, void *path)')
  const initAttributes = self.func('int posix_spawnattr_init(void *attributes)')
  const setFlags = self.func('int posix_spawnattr_setflags(void *attributes, int16 flags)')
  const setDefaults = self.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)')
  const setMask = self.func('int posix_spawnattr_setsigmask(void *attributes, void *set)')
  const waitpid = self.func('int waitpid(int pid, _Out_ int *status, int options)')
  const socketpair = self.func('int socketpair(int domain, int type, int protocol, _Out_ int32 *pair)')
  const must = (errno: number, what: string, path?: string): void => {
    if (errno !== 0) throw systemError(errno, what, path)
  }
  // For all processes. Nothing of it would have to be released in any C library.
  const attributes = Buffer.alloc(structureSize)
  must(initAttributes(attributes) as number, 'posix_spawn')
  must(setDefaults(attributes, Buffer.alloc(sigsetSize, 0xff)) as number, 'posix_spawn')
  must(setMask(attributes, Buffer.alloc(sigsetSize)) as number, 'posix_spawn')
  const all = flags.setSignalDefaults | flags.setSignalMask | flags.setSession
  must(setFlags(attributes, all) as number, 'posix_spawn')
  return {
    start: ({ file, argv, env, cwd, files }) => {
      const actions = Buffer.alloc(structureSize)
      must(initActions(actions) as number, 'posix_spawn')
      const words = nativeWords(koffi, [argv, env])
      const copies: number[] = []
      // One with a low number would be replaced before its turn.
      const outOfTheWay = (fd: number): number => {
        if (fd >= files.length) return fd
        const copy = check(libc().fcntl(fd, duplicateCloseOnExec, files.length), 'fcntl')
        copies.push(copy)
        return copy
      }
      try {
        for (const [target, fd] of files.entries()) {
          must(addDup2(actions, outOfTheWay(fd), target) as number, 'posix_spawn')
        }
        must(addChdir(actions, cString(cwd)) as number, 'posix_spawn', cwd)
        const pid: [number] = [0]
        const [argvAt, envAt] = words.at
        must(posixSpawn(pid, cString(file), actions, attributes, argvAt, envAt) as number, 'posix_spawn', file)
        return pid[0]
      } finally {
        copies.forEach(closeSync)
        words.free()
        destroyActions(actions)
      }
    },
    reap: pid => {
      const status: [number] = [0]
      for (;;) {
        const got = waitpid(pid, status, noHang) as number
        if (got === 0) return undefined
        if (got === pid) return endOf(status[0])
        if (koffi.errno() !== interrupted) throw systemError(koffi.errno(), 'waitpid')
      }
    },
    socketPair: () => {
      const pair = new Int32Array(2)
      if (socketpair(unixDomain, streamCloseOnExec, 0, pair) === -1) throw systemError(koffi.errno(), 'socketpair')
      return [pair[0] ?? -1, pair[1] ?? -1]
    },
  }
}

const interrupted = 4
const duplicateCloseOnExec = 1030

/** wait(2): the low seven bits are the signal, the next byte is the exit code. */
function endOf(status: number): ProcessEnd {
  const signal = status & 0x7f
  return signal === 0 ? { code: (status >> 8) & 0xff } : { signal }
}

/** Lists of words as the kernel wants them, outside of the garbage collector: pointers, a null, and the bytes behind. */
function nativeWords(
  koffi: typeof Koffi,
  lists: readonly (readonly string[])[],
): { readonly at: readonly bigint[]; readonly free: () => void } {
  const encoded = lists.map(words => words.map(cString))
  const pointers = encoded.reduce((sum, words) => sum + words.length + 1, 0)
  const bytes = encoded.flat().reduce((sum, word) => sum + word.length, 0)
  const size = pointers * 8 + bytes
  const memory = koffi.alloc('uint8', size) as unknown
  const address = koffi.address(memory)
  const view = Buffer.from(koffi.view(memory, size))
  let [pointer, at] = [0, pointers * 8]
  const starts: bigint[] = []
  for (const words of encoded) {
    starts.push(address + BigInt(pointer))
    for (const word of words) {
      view.writeBigUInt64LE(address + BigInt(at), pointer)
      view.set(word, at)
      pointer += 8
      at += word.length
    }
    view.writeBigUInt64LE(0n, pointer)
    pointer += 8
  }
  return { at: starts, free: () => koffi.free(memory) }
}
