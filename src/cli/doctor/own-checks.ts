import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { findProgram, type HostCheck, hostSearchPath } from '#linux'
import { formatSize } from '../size.ts'

/** Less than this (bytes) free: a base image and a compiler hardly fit. */
const littleSpace = 2_000_000_000

/** The Node that runs us; an older one would not have come here. */
export function nodeCheck(version: string): HostCheck {
  return { id: 'node', title: 'Node', state: 'ok', detail: version }
}

/** Whether the store's directory (or the one it will be made in) can be written, and what is free there. */
export function storeCheck(root: string): HostCheck {
  const about = { id: 'store', title: 'local store' }
  const existing = nearestDirectory(root)
  try {
    accessSync(existing, constants.W_OK | constants.X_OK)
  } catch {
    return {
      ...about,
      state: 'missing',
      detail: `${root} cannot be written`,
      hint: 'choose another directory with SLIPWAY_ROOT, or make this one writable for you',
    }
  }
  const { bavail, bsize } = statfsSync(existing)
  const free = bavail * bsize
  const detail = `${root}, ${formatSize(free)} free`
  if (free >= littleSpace) return { ...about, state: 'ok', detail }
  return { ...about, state: 'limited', detail, hint: 'free some space, or choose another disk with SLIPWAY_ROOT' }
}

function nearestDirectory(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestDirectory(dirname(path))
}

/** A program that something optional needs. */
export function programCheck(
  { program, title, hint }: { readonly program: string; readonly title: string; readonly hint: string },
  path: string | undefined,
): HostCheck {
  const about = { id: `tool:${program}`, title }
  const found = findProgram(program, hostSearchPath(path))
  if (found !== undefined) return { ...about, state: 'ok', detail: found }
  return { ...about, state: 'limited', detail: `${program} is not installed`, hint }
}

/** What compresses gzip without a level: the installed library, or Node's own. */
export function gzipCheck(library: string | undefined): HostCheck {
  const about = { id: 'gzip', title: 'compression with gzip' }
  if (library !== undefined) return { ...about, state: 'ok', detail: library }
  return {
    ...about,
    state: 'limited',
    detail: "node's own zlib",
    hint: 'install the package libdeflate0: pushes are compressed in half of the time, and a little smaller',
  }
}
