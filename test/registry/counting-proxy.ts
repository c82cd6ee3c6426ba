import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What becomes of the answer to a request. */
export type Fault = 'none' | 'flip a byte' | 'break off' | 'refuse'

/** Stands before a registry, counts, and does harm. */
export interface CountingProxy extends AsyncDisposable {
  /** Host and port. */
  readonly host: string
  /** `GET /v2/…` in their order. */
  readonly requests: string[]
  /** Decides about each request; default: none. */
  fault: (method: string, path: string) => Fault
  /** Pieces of bodies that went through. */
  pieces: number
  /** Milliseconds before each piece of a body. */
  delay: number
}

export async function startProxy(target: string): Promise<CountingProxy> {
  const server = createServer((incoming, outgoing) => void forward(incoming, outgoing))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const proxy: CountingProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    fault: () => 'none',
    delay: 0,
    pieces: 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', headers } = incoming
    proxy.requests.push(`${method} ${path}`)
    const fault = proxy.fault(method, path)
    if (fault === 'refuse') return void incoming.socket.destroy()
    outgoing.on('error', () => {})
    const [host, port] = target.split(':')
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      incoming.pipe(
        request({ host, port, method, path, headers: { ...headers, host: proxy.host } }, resolve).on('error', reject),
      )
    }).catch(() => undefined)
    if (!answer) return void incoming.socket.destroy()
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
    let sent = 0
    for await (const piece of answer as AsyncIterable<Buffer>) {
      if (proxy.delay > 0) await sleep(proxy.delay)
      if (outgoing.destroyed) break
      if (fault === 'flip a byte' && sent === 0) piece[piece.length >> 1] = (piece[piece.length >> 1] ?? 0) ^ 1
      if (fault === 'break off' && sent + piece.length > 1000) return void incoming.socket.destroy()
      sent += piece.length
      proxy.pieces++
      outgoing.write(piece)
    }
    outgoing.end()
  }
  return proxy
}
