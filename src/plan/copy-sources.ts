import { posix } from 'node:path'
import { hasWildcard } from '#dockerfile'

/** A source of ADD that is a git repository: an explicit protocol and, over http, a path that ends in `.git`. */
export function isGitSource(text: string): boolean {
  if (/^(git|ssh):\/\//.test(text)) return true
  const web = /^https?:\/\/[^/?#]+(\/[^?#]*)?/.exec(text)
  if (web) return web[1]?.endsWith('.git') === true
  return /^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!\/\/)/.test(text) && !text.includes('://')
}

/** A source of ADD that is fetched over http. */
export function isUrlSource(text: string): boolean {
  return /^https?:\/\//.test(text) && !isGitSource(text)
}

/**
 * A path below the root of its source: no leading slash, `..` stays inside, `.` for the root itself. With --parents the
 * pivot `/./` is kept.
 */
export function sourcePath(text: string, parents: boolean): { readonly path: string; readonly wildcard: boolean } {
  const wildcard = hasWildcard(text)
  const pivot = parents ? text.indexOf('/./') : -1
  if (pivot === -1) return { path: belowRoot(text), wildcard }
  return { path: `${belowRoot(text.slice(0, pivot))}/./${belowRoot(text.slice(pivot + 3))}`, wildcard }
}

function belowRoot(text: string): string {
  return posix.join('/', text).slice(1).replace(/\/$/, '') || '.'
}
