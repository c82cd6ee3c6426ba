import { readSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { libc, systemError } from './libc.ts'

/** Kernels copy at most this much in one call. */
const largest = 0x7fff_f000
/** File systems that can't, pairs of them that can't, kernels that can't. */
const unsupported = new Set([
  constants.errno.EXDEV,
  constants.errno.EINVAL,
  constants.errno.ENOSYS,
  constants.errno.EOPNOTSUPP,
  constants.errno.EPERM,
])

/**
 * Copies `length` bytes from one open file to another inside the kernel, copy_file_range(2), which shares the blocks
 * where the file system can; by reading and writing elsewhere. Offsets in bytes; the descriptors' own positions don't
 * move. Returns how many bytes were copied: less than `length` only when the source ends before. Errors as `node:fs`
 * throws them (`ENOSPC`, `EBADF`, `EIO`).
 */
export function copyRange(
  from: { readonly fd: number; readonly offset: number },
  to: { readonly fd: number; readonly offset: number },
  length: number,
): number {
  let done = 0
  while (done < length) {
    const size = Math.min(largest, length - done)
    const offsets = [BigInt64Array.of(BigInt(from.offset + done)), BigInt64Array.of(BigInt(to.offset + done))] as const
    const copied = libc().copyFileRange(from.fd, offsets[0], to.fd, offsets[1], { length: size, flags: 0 })
    if (copied === -1) {
      const errno = libc().errno()
      if (!unsupported.has(errno)) throw systemError(errno, 'copy_file_range')
      const rest = { from: from.offset + done, to: to.offset + done, length: length - done }
      return done + copyByHand(from.fd, to.fd, rest)
    }
    if (copied === 0) break
    done += copied
  }
  return done
}

function copyByHand(from: number, to: number, part: { from: number; to: number; length: number }): number {
  const buffer = Buffer.allocUnsafe(Math.min(part.length, 1024 * 1024))
  let done = 0
  while (done < part.length) {
    const size = readSync(from, buffer, 0, Math.min(buffer.length, part.length - done), part.from + done)
    if (size === 0) break
    for (let written = 0; written < size; ) {
      written += writeSync(to, buffer, written, size - written, part.to + done + written)
    }
    done += size
  }
  return done
}
