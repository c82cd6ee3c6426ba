import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An HTTP server on a free port of 127.0.0.1. */
export interface LocalServer {
  /** Without a slash at the end. */
  readonly url: string
  /** All that came, in order. */
  readonly requests: readonly IncomingMessage[]
  readonly server: Server
  /** Ends it, and connections that are still open. */
  readonly close: () => Promise<unknown>
}

/** Starts one. */
export async function openLocalServer(handler: RequestListener): Promise<LocalServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): Promise<unknown> => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server, close }
}
