import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

/**
 * One process's lease on the store. While it lives, nothing that was used since `started` is pruned; when its process
 * is gone, the next one removes its temporary files.
 */
export interface Session {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly started: number
  /** A fresh path that nobody else has, in the session's temporary directory; gone when the session ends. */
  temporary(name: string): Promise<string>
  /**
   * The same in main memory, where the machine has a file system there: what must never reach a disk, and what lives shortly.
   * `room`: bytes that must be free in it, else the path is on the disk.
   */
  inMemory(name: string, room?: number): Promise<string>
  end(): void
}

interface Owner {
  readonly pid: number
  /** Start time of the process in clock ticks since boot: a number of a dead process may come again. */
  readonly birth: string
  /** Process numbers mean something only inside their namespace. */
  readonly namespace: string
  readonly boot: string
  readonly started: number
}

/** Registers this process and clears away what dead ones left. */
export function beginSession(root: string, now: number): Session {
  const sessions = join(root, 'sessions')
  const temporaries = join(root, 'tmp')
  mkdirSync(sessions, { recursive: true })
  for (const id of readdirSync(sessions)) {
    if (isAlive(join(sessions, id))) continue
    try {
      rmSync(join(temporaries, id), { recursive: true, force: true })
      rmSync(memoryPlace(id), { recursive: true, force: true })
      rmSync(join(sessions, id), { force: true })
    } catch {
      // Files of mapped users can only be removed inside a user namespace: the next session there does it.
    }
  }
  const id = `${process.pid}-${randomBytes(6).toString('hex')}`
  const owner: Owner = {
    pid: process.pid,
    birth: birthOf(process.pid) ?? '',
    namespace: pidNamespace(),
    boot: bootId(),
    started: now,
  }
  writeFileSync(join(sessions, id), JSON.stringify(owner), { flag: 'wx' })
  const own = join(temporaries, id)
  let count = 0
  let made = false
  const temporary = async (name: string): Promise<string> => {
    if (!made) mkdirSync(own, { recursive: true })
    made = true
    return join(own, `${name}-${count++}`)
  }
  let memory: string | undefined
  return {
    id,
    started: now,
    temporary,
    inMemory: async (name, room = 0) => {
      memory ??= makeMemoryPlace(id)
      if (memory === undefined || (room > 0 && freeBytes(memory) < room)) return temporary(name)
      return join(memory, `${name}-${count++}`)
    },
    end: () => {
      if (memory !== undefined) rmSync(memory, { recursive: true, force: true })
      rmSync(own, { recursive: true, force: true })
      rmSync(join(sessions, id), { force: true })
    },
  }
}

/** Where POSIX shared memory lives: a tmpfs on every usual Linux, containers included (shm_overview(7)). */
const sharedMemory = '/dev/shm'
/** `f_type` of a tmpfs (statfs(2)). */
const tmpfsMagic = 0x0102_1994

function memoryPlace(id: string): string {
  return join(sharedMemory, `slipway-${id}`)
}

/** Undefined where there is no file system in memory, or none for us. */
function makeMemoryPlace(id: string): string | undefined {
  try {
    if (statfsSync(sharedMemory).type !== tmpfsMagic) return undefined
    const path = memoryPlace(id)
    // Nobody else may have made it before, or look into it.
    mkdirSync(path, { mode: 0o700 })
    return path
  } catch {
    return undefined
  }
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** Start of the oldest session that is still alive, besides `except`; undefined when there is none. */
export function oldestSession(root: string, except: string): number | undefined {
  const sessions = join(root, 'sessions')
  let oldest: number | undefined
  for (const id of readdirSync(sessions)) {
    if (id === except || !isAlive(join(sessions, id))) continue
    const started = readOwner(join(sessions, id))?.started
    if (started !== undefined && (oldest === undefined || started < oldest)) oldest = started
  }
  return oldest
}

const dayMs = 86_400_000

function isAlive(file: string): boolean {
  const owner = readOwner(file)
  // A half-written file belongs to a process that is about to finish writing it.
  if (!owner) return true
  if (owner.boot !== bootId()) return false
  if (owner.namespace !== pidNamespace()) return Date.now() - owner.started < dayMs
  return birthOf(owner.pid) === owner.birth
}

function readOwner(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); the command name before it may hold blanks and brackets. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}
