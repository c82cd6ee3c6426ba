/** How the network is reached. Nothing is read from the process: the caller hands in what it knows. */
export interface HttpOptions {
  /**
   * Environment to take proxies (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, also in capitals) and additional
   * certificate authorities (`SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`) from.
   */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Files with additional certificate authorities, PEM. */
  readonly caFiles?: readonly string[]
  /** What one server (host, with its port unless that is the default one) needs for TLS beyond this; asked once for each. */
  readonly tlsOf?: (host: string) => ServerTls | undefined
  /** Simultaneous connections to one host. Default 8. */
  readonly connections?: number
  /** Milliseconds. */
  readonly timeouts?: Partial<HttpTimeouts>
  readonly retry?: Partial<RetryPolicy>
}

/** TLS with one server. */
export interface ServerTls {
  /** Additional certificate authorities, PEM. */
  readonly ca?: readonly string[]
  /** A client certificate and its key, PEM. */
  readonly certificate?: string
  readonly key?: string
  /** Take any certificate of the server. */
  readonly unverified?: boolean
}

/** Milliseconds. */
export interface HttpTimeouts {
  /** Until a connection stands, TLS included. Default 20,000. */
  readonly connect: number
  /** Until the head of the answer has come. Default 60,000. */
  readonly headers: number
  /** Without a single byte while a body is read. Default 30,000. */
  readonly stall: number
}

export interface RetryPolicy {
  /** How often a request is sent at most. Default 5. */
  readonly attempts: number
  /** Milliseconds before the second attempt; doubled each time. Default 500. */
  readonly firstDelay: number
  /** Longest pause in milliseconds, also when a server asks for more: then it counts as failed. Default 60,000. */
  readonly maxDelay: number
}

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface HttpRequest {
  /** `http:` or `https:`; user and password inside become basic authentication. */
  readonly url: string | URL
  /** Default GET. */
  readonly method?: HttpMethod
  readonly headers?: Readonly<Record<string, string>>
  /** A function is called once for each attempt. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>)
  /** Statuses from 400 on that the caller handles; every other one is thrown as `HttpError`. */
  readonly allow?: readonly number[]
  /** POST and PATCH only: sent twice it does no harm, so that it is tried again like any other. */
  readonly repeatable?: boolean
  /** How often it is sent at most, instead of what the policy says. */
  readonly attempts?: number
  readonly signal?: AbortSignal
}

/** An answer whose head has come. The body must be read or discarded. */
export interface HttpResponse {
  /** Where the answer came from after redirects, without user and password. */
  readonly url: string
  readonly status: number
  /** A header's value; the name's case does not count. Several lines are joined with a comma. */
  header(name: string): string | undefined
  /** The body as it comes; breaking off closes the connection. Errors are `HttpError`. */
  readonly body: AsyncIterable<Uint8Array>
  /** The whole body; more than `limit` bytes are an error. */
  bytes(limit: number): Promise<Buffer>
  /** Drops the rest of the body. */
  discard(): Promise<void>
}

export interface DownloadRequest {
  readonly url: string | URL
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes to expect; any other number is an error. Default: what the server says. */
  readonly size?: number
  /** Sees the head of the first answer, before its bytes. After a 304 (RFC 9110, section 15.4.5) no bytes come. */
  readonly onResponse?: (response: Pick<HttpResponse, 'url' | 'status' | 'header'>) => void
  /** Sends each attempt, as somebody does who adds credentials. Default: `Http.request`. */
  readonly send?: (request: HttpRequest) => Promise<HttpResponse>
  readonly signal?: AbortSignal
}

/** The door to the network. */
export interface Http extends AsyncDisposable {
  /**
   * Sends a request and follows redirects (at most 10; credentials stay with their host, https is never left). Broken
   * connections and the statuses 408, 425, 429, 500, 502, 503 and 504 are tried again after a pause that grows and
   * respects Retry-After; POST and PATCH only where the server cannot have acted on them. Bodies that stream do so as fast as the
   * server takes them; an answer that comes before their end ends them. Throws `HttpError`, and what the body's source
   * throws; an abort throws the signal's reason.
   */
  request(request: HttpRequest): Promise<HttpResponse>
  /**
   * The bytes of a file. A broken or stalled connection is taken up again where it ended (RFC 9110, section 14), as long as
   * attempts without a new byte do not exceed the policy's. Throws `HttpError`.
   */
  download(request: DownloadRequest): AsyncIterable<Uint8Array>
  /**
   * For what is begun again as a whole, and so by the caller: pauses after so many failures as the policy says. False, at
   * once, where it says that this is enough.
   */
  backOff(failures: number, signal?: AbortSignal): Promise<boolean>
}
