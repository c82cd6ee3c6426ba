import { UserError } from '#diagnostics'
import type { SandboxSpec } from './sandbox-spec.ts'

/**
 * How the command gets its variables. The last program of the host that runs (unshare, which changes the root and then
 * executes the command) hands on its own environment. At that moment it still sees the host's files, and it has the
 * capabilities of the sandbox's root: an image with `ENV LD_PRELOAD=…` could make it run code of the image outside of
 * the image's root. So it gets variables only if none of them steers the loader or the C library. Otherwise it gets
 * none of those, and a program *inside* the root, where nothing can be gained, sets them and executes the command: the
 * image's env(1), which then sets everything, or its sh(1).
 *
 * No shell of the host is involved: shells drop names that they don't like, add some, and change the order.
 */
export interface EnvironmentPassing {
  readonly outside: readonly string[]
  readonly inside?: { readonly kind: 'env' | 'sh'; readonly program: string; readonly variables: readonly string[] }
}

/** Decides how. Throws a `UserError` when a sensitive name is there and the root has neither `env` nor `sh`. */
export function passEnvironment(spec: Pick<SandboxSpec, 'env' | 'argv' | 'inRoot'>): EnvironmentPassing {
  const env = lastOfEachName(spec.env)
  const sensitive = env.filter(isSensitive)
  const { env: envProgram, sh } = spec.inRoot ?? {}
  if (sensitive.length === 0) return { outside: env }
  // env(1) takes a first word with `=` for another variable.
  if (envProgram !== undefined && !spec.argv[0]?.includes('=')) {
    return { outside: [], inside: { kind: 'env', program: envProgram, variables: env } }
  }
  if (sh !== undefined && sensitive.every(isIdentifier)) {
    const outside = env.filter(entry => !isSensitive(entry))
    return { outside, inside: { kind: 'sh', program: sh, variables: sensitive } }
  }
  const [first = ''] = sensitive
  throw new UserError(`can't set ${nameOf(first)} for this command: the image has neither env nor sh`, {
    hint: 'variables that steer the dynamic loader are set by a program of the image; remove the variable or add a shell',
  })
}

const sensitiveNames = new Set([
  // The list that glibc itself ignores in privileged programs.
  'GCONV_PATH',
  'GETCONF_DIR',
  'GLIBC_TUNABLES',
  'HOSTALIASES',
  'LOCALDOMAIN',
  'LOCPATH',
  'NIS_PATH',
  'NLSPATH',
  'RESOLV_HOST_CONF',
  'RES_OPTIONS',
  'TMPDIR',
  'TZDIR',
  // Messages, locales, option parsing and other libraries of the programs in question.
  'CHARSET',
  'LANG',
  'LANGUAGE',
  'MUSL_LOCPATH',
  'OUTPUT_CHARSET',
  'PCPROFILE_OUTPUT',
  'POSIXLY_CORRECT',
  'TZ',
])
const sensitivePrefixes = ['LD_', 'LC_', 'MALLOC_', 'GLIBC_', 'LIBMOUNT_', 'LIBBLKID_', 'SEGFAULT_', 'TEXTDOMAIN']

function isSensitive(entry: string): boolean {
  const name = nameOf(entry)
  if (!sensitiveNames.has(name) && !sensitivePrefixes.some(prefix => name.startsWith(prefix))) return false
  // The most frequent values of the locale variables select what is built into the C library.
  const locale = name === 'LANG' || name.startsWith('LC_')
  return !(locale && /^(C|POSIX|C\.UTF-?8)$/i.test(entry.slice(name.length + 1)))
}

function isIdentifier(entry: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*=/.test(entry)
}

function nameOf(entry: string): string {
  const end = entry.indexOf('=')
  return end === -1 ? entry : entry.slice(0, end)
}

/** The process could see only one of each; the last one wins, at the place of the first. */
function lastOfEachName(env: readonly string[]): readonly string[] {
  const byName = new Map<string, string>()
  for (const entry of env) {
    if (entry.indexOf('=') < 1 || entry.includes('\0')) throw new Error(`not NAME=value: ${entry}`)
    byName.set(nameOf(entry), entry)
  }
  return [...byName.values()]
}
