// A server that speaks as much of PostgreSQL's protocol (version 3, https://www.postgresql.org/docs/15/protocol.html) as a client
// needs to log in and to ask one thing: it answers each query with one row that holds the query's own text in upper case.
import { createServer, type Server, type Socket } from 'node:net'

const plainTextPlease = [80877103, 80877104]

/** Listens on a free port of 127.0.0.1. */
export function startQueryServer(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(serve)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve({ port: typeof address === 'object' && address ? address.port : 0, server })
    })
  })
}

function serve(socket: Socket): void {
  let pending = Buffer.alloc(0)
  let started = false
  socket.on('error', () => {})
  socket.on('data', data => {
    pending = Buffer.concat([pending, data])
    for (;;) {
      // A message is its kind (one byte, but for the first ones), its length without the kind, and its body.
      const head = started ? 1 : 0
      if (pending.length < head + 4) return
      const end = head + pending.readInt32BE(head)
      if (pending.length < end) return
      const [kind, body] = [started ? pending.toString('latin1', 0, 1) : '', pending.subarray(head + 4, end)]
      pending = pending.subarray(end)
      if (kind === 'Q') socket.write(rowWith(body.toString('utf8', 0, body.length - 1).toUpperCase()))
      else if (kind === 'X') socket.end()
      else if (plainTextPlease.includes(body.readInt32BE(0))) socket.write('N')
      else {
        started = true
        socket.write(Buffer.concat([message('R', int32(0)), ...settings.map(setting), ready]))
      }
    }
  })
}

const settings = [
  ['server_version', '15.0'],
  ['server_encoding', 'UTF8'],
  ['client_encoding', 'UTF8'],
] as const

function setting([name, value]: readonly [string, string]): Buffer {
  return message('S', text(name), text(value))
}

function rowWith(value: string): Buffer {
  const bytes = Buffer.from(value)
  const column = Buffer.concat([text('answer'), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)])
  return Buffer.concat([
    message('T', int16(1), column),
    message('D', int16(1), int32(bytes.length), bytes),
    message('C', text('SELECT 1')),
    ready,
  ])
}

const ready = message('Z', Buffer.from('I'))

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
