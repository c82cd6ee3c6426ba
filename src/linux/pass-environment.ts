import { UserError } from '#diagnostics'
import type { SandboxSpec } from './sandbox-spec.ts'

/**
 * How the command gets its variables. The last program of the host that runs (unshare, which changes the root and then
 * executes the command) would normally hand on its own environment. At that moment it still sees the host's files, its
 * working directory is the image's root, and it has the capabilities of the sandbox's root: an image with
 * `ENV LD_PRELOAD=./x.so` would run its own code outside of its root. So:
 *
 * - Harmless names are exported by the shell (`byShell`), or given through `env -i` when the shell can't be trusted to
 *   hand on all of them unchanged; setpriv and unshare see them too.
 * - As soon as a name steers the loader or the C library, a program *inside* the root, where nothing can be gained, sets
 *   it and executes the command: the image's env(1), which then sets everything, or its sh(1).
 */
export interface EnvironmentPassing {
  readonly outside: readonly string[]
  readonly byShell: boolean
  readonly inside?: { readonly kind: 'env' | 'sh'; readonly program: string; readonly variables: readonly string[] }
}

/** Decides how. Throws a `UserError` when a sensitive name is there and the root has neither `env` nor `sh`. */
export function passEnvironment(
  spec: Pick<SandboxSpec, 'env' | 'argv' | 'inRoot'>,
  options: { readonly plainShell: boolean },
): EnvironmentPassing {
  const env = lastOfEachName(spec.env)
  const sensitive = env.filter(isSensitive)
  const { env: envProgram, sh } = spec.inRoot ?? {}
  const through = (outside: readonly string[]): { outside: readonly string[]; byShell: boolean } => ({
    outside,
    byShell: options.plainShell && outside.every(isExportable),
  })
  if (sensitive.length === 0) return through(env)
  // env(1) takes a first word with `=` for another variable.
  if (envProgram !== undefined && !spec.argv[0]?.includes('=')) {
    return { ...through([]), inside: { kind: 'env', program: envProgram, variables: env } }
  }
  if (sh !== undefined && sensitive.every(isIdentifier)) {
    const harmless = env.filter(entry => !isSensitive(entry))
    return { ...through(harmless), inside: { kind: 'sh', program: sh, variables: sensitive } }
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

/** Variables to which dash gives a meaning of its own. */
const shellNames = new Set(
  'ATTY ENV HISTSIZE IFS LINENO MAIL MAILCHECK MAILPATH OLDPWD OPTARG OPTIND PPID PS1 PS2 PS4 PWD TERM _'.split(' '),
)

function isExportable(entry: string): boolean {
  return isIdentifier(entry) && !shellNames.has(nameOf(entry))
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
