import { UserError } from '#diagnostics'
import type { DownloadRequest, HttpRequest, HttpResponse, RetryPolicy } from './http.ts'
import { displayUrl, HttpError } from './http-error.ts'
import { pause, retryDelay } from './retry.ts'

type Request = (request: HttpRequest) => Promise<HttpResponse>

/** What is known of a file after its first answer. */
interface Progress {
  received: number
  size: number | undefined
  /** A strong validator for If-Range. */
  validator: string | undefined
  answered: boolean
  /** The last request got no answer at all, however often it was sent. */
  unanswered: boolean
  /** It was asked for the rest and said 416: then for everything, and what is here already is skipped. */
  refusesRanges: boolean
}

/** A file's bytes; broken connections are taken up again where they ended. */
export async function* download(
  wanted: DownloadRequest,
  request: Request,
  policy: RetryPolicy,
): AsyncGenerator<Uint8Array> {
  const state: Progress = {
    received: 0,
    size: wanted.size,
    validator: undefined,
    answered: false,
    unanswered: false,
    refusesRanges: false,
  }
  for (let failures = 0; ; ) {
    const before = state.received
    try {
      yield* attempt(wanted, request, state)
      return
    } catch (error) {
      wanted.signal?.throwIfAborted()
      // What has a status, or never came to an answer, has been tried again often enough by `request`.
      if (!(error instanceof HttpError) || (state.unanswered && error.status === undefined)) throw error
      if (error.status === 416 && state.received > 0 && !state.refusesRanges) {
        state.refusesRanges = true
        continue
      }
      if (error.status !== undefined) throw error
      if (state.received === state.size) return
      failures = state.received > before ? 1 : failures + 1
      if (failures >= policy.attempts) throw error
      await pause(retryDelay(failures, undefined, policy) ?? 0, wanted.signal)
    }
  }
}

async function* attempt(wanted: DownloadRequest, request: Request, state: Progress): AsyncGenerator<Uint8Array> {
  state.unanswered = true
  const response = await (wanted.send ?? request)({
    url: wanted.url,
    headers: { ...wanted.headers, ...rangeHeaders(state) },
    ...(wanted.signal && { signal: wanted.signal }),
  })
  state.unanswered = false
  if (!state.answered) wanted.onResponse?.(response)
  state.answered = true
  if (response.status === 304) {
    await response.discard()
    return
  }
  let skip = state.received
  if (response.status === 206) {
    skip = 0
    if (rangeStart(response) !== state.received) throw unusable(wanted, response, 'sent another range than asked for')
  }
  learn(response, wanted, state)
  for await (const chunk of response.body) {
    if (skip >= chunk.length) {
      skip -= chunk.length
      continue
    }
    const fresh = skip > 0 ? chunk.subarray(skip) : chunk
    skip = 0
    state.received += fresh.length
    if (state.size !== undefined && state.received > state.size) throw wrongSize(wanted, response, state)
    yield fresh
  }
  if (state.size !== undefined && state.received < state.size) throw wrongSize(wanted, response, state)
}

function rangeHeaders({ received, validator, refusesRanges }: Progress): Record<string, string> {
  if (received === 0 || refusesRanges) return {}
  return { range: `bytes=${received}-`, ...(validator !== undefined && { 'if-range': validator }) }
}

function rangeStart(response: HttpResponse): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.header('content-range') ?? '')
  return match ? Number(match[1]) : undefined
}

/** Takes size and validator of a first answer; a whole answer after a part must be of the same file. */
function learn(response: HttpResponse, wanted: DownloadRequest, state: Progress): void {
  const etag = response.header('etag')
  const validator = etag !== undefined && !etag.startsWith('W/') ? etag : response.header('last-modified')
  const length = response.header('content-length')
  const size = response.status === 206 || length === undefined ? undefined : Number(length)
  if (state.received > 0 && state.validator !== undefined && validator !== state.validator) {
    throw unusable(wanted, response, 'changed the file during the download')
  }
  state.validator ??= validator
  if (size !== undefined && state.size !== undefined && size !== state.size) {
    throw wrongSize(wanted, response, { ...state, received: size })
  }
  state.size ??= size
}

function wrongSize(wanted: DownloadRequest, response: HttpResponse, { received, size }: Progress): UserError {
  return unusable(wanted, response, `sent ${received} bytes instead of ${size}`)
}

function unusable(wanted: DownloadRequest, response: HttpResponse, problem: string): HttpError {
  const url = new URL(wanted.url)
  return new HttpError(`${url.host} ${problem} for ${url.pathname}`, {
    hint: 'the file may have just been replaced; try again, or use another mirror',
    url: displayUrl(url),
    status: response.status,
  })
}
