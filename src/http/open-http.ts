import { type Dispatchers, openDispatchers } from './dispatchers.ts'
import { download } from './download.ts'
import type { Http, HttpOptions, HttpRequest, HttpResponse } from './http.ts'
import { pause, retryDelay, retryPolicy } from './retry.ts'
import { send } from './send.ts'

/** Opens the door to the network; the client is loaded with the first request. Dispose it to close all connections. */
export function openHttp(options: HttpOptions): Http {
  const policy = retryPolicy(options.retry)
  let opening: Promise<Dispatchers> | undefined
  const request = async (wanted: HttpRequest): Promise<HttpResponse> => {
    opening ??= openDispatchers(options)
    return send(wanted, await opening, policy)
  }
  return {
    request,
    download: wanted => download(wanted, request, policy),
    async backOff(failures, signal) {
      if (failures >= policy.attempts) return false
      await pause(retryDelay(failures, undefined, policy) ?? 0, signal)
      return true
    },
    async [Symbol.asyncDispose]() {
      await (await opening)?.[Symbol.asyncDispose]()
    },
  }
}
