import { UserError } from '#diagnostics'
import { findProgram, hostSearchPath, runTool } from '#linux'

export interface GitOptions {
  /** The caller's environment: PATH, proxies and certificate authorities are taken from it, nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `Authorization: …` for requests to one origin, such as `https://example.com`. */
  readonly header?: { readonly origin: string; readonly value: string }
  /** Socket of an agent with keys, for `ssh`. */
  readonly sshSocket?: string
  /** Protocols that may be spoken, also by submodules. */
  readonly protocols: readonly string[]
  readonly signal: AbortSignal
}

/** `git`, with nothing of this machine's configuration. */
export interface Git {
  /** Standard output. Throws a `UserError` with what `git` said when it fails. */
  run(directory: string, args: readonly string[], options?: RunOptions): Promise<string>
}

export interface RunOptions {
  /** Instead of looking for one from the directory on. */
  readonly gitDirectory?: string
  /** A path on this machine is read, of ours. */
  readonly local?: boolean
}

/** Protocols of addresses that people write. `file` and `ext` would reach this machine's files and programs. */
export const gitProtocols: readonly string[] = ['https', 'http', 'git', 'ssh']

/** Finds `git`. Throws a `UserError` where it is not installed. */
export function openGit(options: GitOptions): Git {
  const path = hostSearchPath(options.environment['PATH'])
  const program = findProgram('git', path)
  if (program === undefined) {
    throw new UserError('git repositories need git on this machine', { hint: 'install the package git' })
  }
  return {
    run: async (directory, args, { gitDirectory, local = false } = {}) => {
      const result = await runTool(program, {
        args,
        directory,
        signal: options.signal,
        env: {
          PATH: path,
          ...environmentOf(options),
          GIT_ALLOW_PROTOCOL: local ? 'file' : options.protocols.join(':'),
          ...(gitDirectory !== undefined && { GIT_DIR: gitDirectory }),
        },
      })
      if (result.status === 0) return result.stdout
      throw failure(args[0] ?? '', result.stderr)
    },
  }
}

/**
 * Nothing is read from the user's or the system's configuration, nothing asks, no hook runs. Secrets go through the
 * environment, which other users cannot see, unlike arguments.
 */
function environmentOf(options: GitOptions): Record<string, string> {
  const config: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.logAllRefUpdates', 'false'],
    ['core.autocrlf', 'false'],
    ['core.attributesFile', '/dev/null'],
    ['credential.helper', ''],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['init.defaultBranch', 'main'],
    ['advice.detachedHead', 'false'],
    ['protocol.version', '2'],
    // Files of our store may belong to another user of a user namespace.
    ['safe.directory', '*'],
    ...(options.header
      ? [[`http.${options.header.origin}/.extraHeader`, `Authorization: ${options.header.value}`] as [string, string]]
      : []),
  ]
  return {
    LC_ALL: 'C',
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_SSH_COMMAND: sshCommand,
    ...(options.sshSocket !== undefined && { SSH_AUTH_SOCK: options.sshSocket }),
    ...network(options.environment),
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
  }
}

/** Keys come from the agent only, hosts must be known: neither the user's configuration nor his key files are used. */
const sshCommand = 'ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentityFile=none'

function network(environment: GitOptions['environment']): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
    for (const key of [name, name.toUpperCase()]) {
      const value = environment[key]
      if (value !== undefined) found[key] = value
    }
  }
  const authorities = environment['SSL_CERT_FILE']
  return { ...found, ...(authorities !== undefined && { GIT_SSL_CAINFO: authorities }) }
}

function failure(command: string, stderr: string): UserError {
  const lines = stderr.split('\n').filter(line => line.trim() !== '')
  return new UserError(
    `git ${command} failed: ${(lines.at(-1) ?? 'it said nothing').replace(/^(fatal|error): /, '')}`,
    {
      hint: hintFor(stderr),
      details: lines.slice(-8),
    },
  )
}

function hintFor(stderr: string): string {
  if (/transport '.*' not allowed/.test(stderr)) return 'repositories come over https, http, ssh or git'
  if (/could not read (Username|Password)|Authentication failed|terminal prompts disabled/.test(stderr)) {
    return 'the repository is private or not there; give a token with --secret id=GIT_AUTH_TOKEN,env=NAME'
  }
  if (/Host key verification failed/.test(stderr))
    return 'add the host to ~/.ssh/known_hosts (ssh-keyscan shows its key)'
  if (/Permission denied \(/.test(stderr)) return 'give an agent that has the key: --ssh default'
  if (/Could not resolve host/.test(stderr)) return 'check the address and the network'
  return 'check the address, and whether you may read the repository'
}
