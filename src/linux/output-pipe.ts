import { chmodSync, closeSync, constants, openSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { makeNode } from './make-node.ts'

/** A pipe for what a child writes. Node's own are sockets, and those cannot be opened again as `/dev/stdout` or `/dev/stderr`. */
export interface OutputPipe extends Disposable {
  /** For the child; closed by `handOver`. */
  readonly fd: number
  /** Once the child has the pipe: from then on it ends when nobody can write to it any more. */
  handOver(): void
  /** When everything was read. */
  readonly ended: Promise<void>
}

/**
 * Makes a pipe whose data goes to `take`. `path` is a name that is free, and is free again when this returns. Every user may open
 * the pipe: who runs as another one writes to `/dev/stdout`, too.
 */
export function openOutputPipe(path: string, take: (chunk: Buffer) => void): OutputPipe {
  makeNode(path, { type: 'fifo', mode: 0o600, major: 0, minor: 0 })
  chmodSync(path, 0o666)
  // Without waiting for somebody who writes, and then there is one who reads, so that neither waits.
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const fd = openSync(path, constants.O_WRONLY)
  unlinkSync(path)
  const socket = new Socket({ fd: readFd, readable: true, writable: false })
  socket.on('data', take)
  // What is left in the pipe is lost only with the pipe itself.
  socket.on('error', () => {})
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let open = true
  const handOver = (): void => {
    if (open) closeSync(fd)
    open = false
  }
  return {
    fd,
    handOver,
    ended,
    [Symbol.dispose]() {
      handOver()
      socket.destroy()
    },
  }
}
