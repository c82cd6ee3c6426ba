import { check, cString, type KernelPath, libc } from './libc.ts'

/** What to make; `major` and `minor` are ignored for a fifo. */
export interface NodeSpec {
  readonly type: 'char' | 'block' | 'fifo'
  /** Permission bits 0..0o7777, less the umask. */
  readonly mode: number
  readonly major: number
  readonly minor: number
}

const typeBits = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const

/**
 * mknod(2). Devices need root; in a user namespace only the character device 0:0 (an overlay whiteout) can be made.
 * Throws as `node:fs` does: `EPERM`, `EEXIST`, `ENOENT`, and a plain `Error` for numbers that Linux can't hold
 * (12 bits major, 20 bits minor).
 */
export function makeNode(path: KernelPath, node: NodeSpec): void {
  const device = node.type === 'fifo' ? 0n : deviceNumber(node.major, node.minor)
  check(libc().mknod(cString(path), typeBits[node.type] | (node.mode & 0o7777), device), 'mknod', path)
}

/** The C library's 64-bit `dev_t`, as `makedev` makes it. */
export function deviceNumber(major: number, minor: number): bigint {
  if (
    !(Number.isInteger(major) && Number.isInteger(minor) && major >= 0 && minor >= 0 && major < 4096 && minor < 1 << 20)
  ) {
    throw new Error(`Linux has no device ${major}:${minor}`)
  }
  const high = BigInt(major)
  const low = BigInt(minor)
  return ((high & 0xfffn) << 8n) | (low & 0xffn) | ((low & ~0xffn) << 12n)
}
