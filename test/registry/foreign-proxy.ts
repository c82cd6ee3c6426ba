import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** An HTTP proxy of the tests that leads every host to one server of this machine: so names of other machines can be used. */
export interface ForeignProxy extends AsyncDisposable {
  readonly url: string
  /** Hosts and ports that were asked for. */
  readonly asked: string[]
}

export async function startForeignProxy(target: string): Promise<ForeignProxy> {
  const [host = '', port = ''] = target.split(':')
  const asked: string[] = []
  const server = createServer((incoming, outgoing) => {
    const { pathname, search, host: name } = new URL(incoming.url ?? '', 'http://nobody')
    asked.push(name)
    const { method, headers } = incoming
    const onwards = request({ host, port, method, path: pathname + search, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    onwards.on('error', () => outgoing.destroy())
    incoming.pipe(onwards)
  })
  server.on('connect', (incoming, socket) => {
    asked.push(incoming.url ?? '')
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      there.pipe(socket).pipe(there)
    })
    there.on('error', () => socket.destroy())
    socket.on('error', () => there.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
