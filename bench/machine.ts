import { spawnSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

/** The machine by its properties; never its name. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  /** Bytes. */
  readonly memory: number
  readonly system: string
  readonly kernel: string
  readonly fileSystem: string
  readonly node: string
  /** Load of the last minute before the run. */
  readonly load: number
}

/** `f_type` of statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x9123683e: 'btrfs',
  0x58465342: 'xfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
}

export function describeMachine(folder: string): Machine {
  const type = statfsSync(folder).type
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(text('/etc/os-release'))?.[1] ?? 'Linux',
    kernel: release(),
    fileSystem: fileSystems[type] ?? `type 0x${type.toString(16)}`,
    node: process.version,
    load: Number(text('/proc/loadavg').split(' ')[0]),
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The commit that is measured, where git knows. */
export function commit(): string {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : 'unknown'
}
