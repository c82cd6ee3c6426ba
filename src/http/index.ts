/**
 * http: the only door to the network.
 *
 * In: requests. Out: answers whose bytes stream. Always: temporary failures are tried again with growing pauses, broken
 * downloads go on where they ended, credentials never reach another host, nothing stalls for ever, and what fails for
 * good is an `HttpError` that names host and status. Proxies and certificate authorities come from the environment that
 * the caller hands in.
 */
export type {
  DownloadRequest,
  Http,
  HttpMethod,
  HttpOptions,
  HttpRequest,
  HttpResponse,
  HttpTimeouts,
  RetryPolicy,
  ServerTls,
} from './http.ts'
export { HttpError, speaksNoTls } from './http-error.ts'
export { openHttp } from './open-http.ts'
