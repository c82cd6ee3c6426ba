import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpMethod, RetryPolicy } from './http.ts'
import { certificateCode, errorCode } from './http-error.ts'

/** The policy with its defaults. */
export function retryPolicy(given: Partial<RetryPolicy> | undefined): RetryPolicy {
  return { attempts: 5, firstDelay: 500, maxDelay: 60_000, ...given }
}

const temporary: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether an answer with this status may be better next time, and the method allows to ask again. */
export function retriesStatus(status: number, repeatable: boolean): boolean {
  return temporary.has(status) && (repeatable || status === 429)
}

/** Whether a request that got no answer may be sent again. */
export function retriesError(error: unknown, repeatable: boolean): boolean {
  const code = errorCode(error)
  if (code === undefined) return false
  if (neverSent.has(code)) return true
  if (code === 'ENOTFOUND' || certificateCode.test(code)) return false
  return repeatable && (broken.has(code) || code.startsWith('HPE_'))
}

const neverSent: ReadonlySet<string> = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'EAI_AGAIN', 'EHOSTUNREACH'])
const broken: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_ABORTED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

/** Milliseconds before a host that never answered is tried again: a service that is just being started, a resolver that woke up. */
const quickDelays: readonly number[] = [150, 450]

/**
 * Milliseconds to wait before a request that got no answer is sent again. Undefined: it is given up. A host that answered before may
 * be restarting and gets the whole policy's patience; one that nobody reached yet is most likely misspelt or not running.
 */
export function errorDelay(
  error: unknown,
  { attempt, attempts, reached }: { readonly attempt: number; readonly attempts: number; readonly reached: boolean },
  policy: RetryPolicy,
): number | undefined {
  if (attempt >= attempts) return undefined
  const code = errorCode(error)
  if (reached || code === undefined || !neverSent.has(code)) return retryDelay(attempt, undefined, policy)
  const quick = quickDelays[attempt - 1]
  return quick === undefined ? undefined : Math.min(quick, policy.maxDelay)
}

/** Whether a request may be sent twice (RFC 9110, section 9.2.2). */
export function isIdempotent(method: HttpMethod): boolean {
  return method !== 'POST' && method !== 'PATCH'
}

/**
 * Milliseconds to wait after attempt number `attempt` (from 1): doubled each time with up to a quarter less, or what the
 * server asks for in Retry-After (seconds or a date, RFC 9110 section 10.2.3). Undefined: it asks for too long.
 */
export function retryDelay(attempt: number, retryAfter: string | undefined, policy: RetryPolicy): number | undefined {
  const own = Math.min(policy.maxDelay, policy.firstDelay * 2 ** (attempt - 1)) * (1 - Math.random() / 4)
  const asked = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter)
  if (asked === undefined) return own
  return asked > policy.maxDelay ? undefined : Math.max(asked, own)
}

function parseRetryAfter(text: string): number | undefined {
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** Waits; an abort rejects with the signal's reason. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal && { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
