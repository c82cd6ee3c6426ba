import { UserError } from '#diagnostics'

/** What kept a request from succeeding. */
export interface HttpErrorOptions {
  readonly hint: string
  readonly url: string
  /** Absent where no answer came. */
  readonly status?: number
  /** The start of the answer's body. */
  readonly body?: string
  readonly cause?: unknown
}

/** A request failed for good; the message names host and status. */
export class HttpError extends UserError {
  /** Without user and password. */
  readonly url: string
  readonly status: number | undefined
  /** The start of the answer's body, at most 4 KiB; empty where there was none. */
  readonly body: string

  constructor(message: string, options: HttpErrorOptions) {
    super(message, { hint: options.hint, ...(options.cause !== undefined && { cause: options.cause }) })
    this.url = options.url
    this.status = options.status
    this.body = options.body ?? ''
  }
}

/** A URL as it may be shown: without user, password and fragment. */
export function displayUrl(url: URL): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  shown.hash = ''
  return shown.href
}

/** The error for an answer with a status that nobody wanted. */
export function statusError(url: URL, status: number, body: string): HttpError {
  return new HttpError(`${url.host} answered ${status}${reason(status)} for ${url.pathname}`, {
    hint: statusHint(status),
    url: displayUrl(url),
    status,
    body,
  })
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  416: 'Range Not Satisfiable',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

function reason(status: number): string {
  const text = reasons[status]
  return text === undefined ? '' : ` (${text})`
}

function statusHint(status: number): string {
  if (status === 401 || status === 403) return 'check the credentials and whether they allow this'
  if (status === 404 || status === 410) return 'check the address; it may have moved or never existed'
  if (status === 407) return 'give the proxy its user and password: http://user:password@proxy:port'
  if (status === 429) return 'the server limits the number of requests; try again later'
  if (status >= 500) return 'the server has a problem; try again later'
  return 'the server refuses this request'
}

/** The error for a request that got no answer, or whose answer broke off. */
export function connectionError(url: URL, error: unknown, proxy?: URL): HttpError {
  const code = errorCode(error)
  const via = proxy ? ` through the proxy ${proxy.host}` : ''
  const [problem, hint] = describe(code, error, proxy)
  return new HttpError(`cannot reach ${url.host}${via}: ${problem}`, { hint, url: displayUrl(url), cause: error })
}

function describe(code: string | undefined, error: unknown, proxy: URL | undefined): readonly [string, string] {
  const network = proxy
    ? 'check http_proxy, https_proxy and no_proxy'
    : 'check the network; a proxy is taken from http_proxy and https_proxy'
  const known = code === undefined ? undefined : problems[code]
  if (known) return [known, network]
  if (speaksNoTls(error)) return ['it does not speak TLS', 'check the port, or use an address with http://']
  const alert = tlsAlert(error)
  if (alert !== undefined) {
    return [
      `it refused the TLS connection (${alert})`,
      'it may want a client certificate, or a version of TLS or ciphers that are not offered',
    ]
  }
  if (code !== undefined && certificateCode.test(code)) {
    return [
      `its certificate is not trusted (${code})`,
      'name a file with the certificate authority in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE',
    ]
  }
  return [error instanceof Error && error.message !== '' ? error.message : (code ?? String(error)), network]
}

/** What OpenSSL and Node say about certificates that do not hold. */
export const certificateCode = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/

/** Whether what came instead of an answer was no TLS (RFC 8446) at all. */
export function speaksNoTls(error: unknown): boolean {
  // Of Node's codes, EPROTO says no more than that TLS failed while something was being written.
  return chain(error).some(
    ({ code, message }) =>
      /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/.test(code) ||
      (code === 'EPROTO' && /:(wrong version number|packet length too long|unknown protocol):/.test(message)),
  )
}

/** What the other side had against the TLS connection, in OpenSSL's words: `handshake failure`. */
function tlsAlert(error: unknown): string | undefined {
  return chain(error)
    .map(({ message }) => /:(?:ssl|tls)\S* alert ([a-z ]+):/.exec(message)?.[1])
    .find(text => text !== undefined)
}

const problems: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is unknown',
  EAI_AGAIN: 'the name cannot be resolved now',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no more data came',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
}

/** The code of an error, or of what caused it. */
export function errorCode(error: unknown): string | undefined {
  return chain(error).find(({ code }) => code !== '')?.code
}

/** An error and what caused it; the code is empty where there is none. */
function chain(error: unknown): readonly { readonly code: string; readonly message: string }[] {
  const found = []
  for (let e = error; found.length < 5 && typeof e === 'object' && e !== null; ) {
    const { code, message, errors, cause } = e as Record<string, unknown>
    found.push({ code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' })
    e = Array.isArray(errors) && errors.length > 0 ? (errors[0] as unknown) : cause
  }
  return found
}
