import { UserError } from '#diagnostics'
import { findProgram, runTool } from '#linux'
import type { AuthPlaces } from './auth-file.ts'
import type { Credential } from './credentials.ts'

/** A program that keeps credentials (docker-credential-helpers), for one registry. */
export interface HelperCall extends AuthPlaces {
  /** `pass` for `docker-credential-pass`. */
  readonly helper: string
  /** As docker calls it. */
  readonly key: string
  readonly signal: AbortSignal
}

/** Whether the program is installed. */
export function hasHelper({ helper, env }: Pick<HelperCall, 'helper' | 'env'>): boolean {
  return programOf(helper, env) !== undefined
}

/** What the helper has; undefined: nothing. Throws a `UserError` when it fails; what it printed is not shown. */
export async function getFromHelper(call: HelperCall): Promise<Credential | undefined> {
  const result = await run(call, 'get', call.key)
  if (result.status !== 0) {
    if (/not found/i.test(result.stdout + result.stderr)) return undefined
    throw failed(call, 'get', result.status)
  }
  let answer: Readonly<Record<string, unknown>>
  try {
    answer = JSON.parse(result.stdout) as typeof answer
  } catch {
    throw failed(call, 'get', 'an answer that is not JSON')
  }
  const { Username: username, Secret: secret } = answer
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined
  if (username === '<token>') return { kind: 'identity-token', token: secret }
  return { kind: 'password', username, password: secret }
}

export async function storeInHelper(
  call: HelperCall,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<void> {
  const { status } = await run(
    call,
    'store',
    JSON.stringify({ ServerURL: call.key, Username: username, Secret: password }),
  )
  if (status !== 0) throw failed(call, 'store', status)
}

/** Forgets; false where the helper had nothing. */
export async function eraseFromHelper(call: HelperCall): Promise<boolean> {
  if ((await getFromHelper(call)) === undefined) return false
  const { status } = await run(call, 'erase', call.key)
  if (status !== 0) throw failed(call, 'erase', status)
  return true
}

function programOf(helper: string, env: AuthPlaces['env']): string | undefined {
  // The name comes from a file: it must not lead to a program somewhere else.
  return /^[\w.-]+$/.test(helper) ? findProgram(`docker-credential-${helper}`, env['PATH'] ?? '') : undefined
}

async function run({ helper, env, signal }: HelperCall, action: string, input: string) {
  const program = programOf(helper, env)
  if (program === undefined) {
    throw new UserError(`the credential helper docker-credential-${helper} is not on PATH`, {
      hint: 'install it, or take credsStore and credHelpers out of the configuration',
    })
  }
  const inherited = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return runTool(program, {
    args: [action],
    env: Object.fromEntries(inherited),
    directory: '/',
    input,
    signal,
    limit: 1 << 20,
  })
}

function failed({ helper, key }: HelperCall, action: string, status: number | string): UserError {
  return new UserError(`docker-credential-${helper} failed to ${action} the credentials for ${key}: ${status}`, {
    hint: `try it by hand: echo ${key} | docker-credential-${helper} ${action}`,
  })
}
