/**
 * A window on a stream of bytes, in memory that two threads share: one writes the stream, the other reads ranges of it, in order, and
 * sleeps until they are there. Positions are those of the stream. Nothing is allocated while the bytes flow.
 */
export interface ByteWindow {
  readonly bytes: SharedArrayBuffer
  readonly state: SharedArrayBuffer
}

// Cells of the state: bytes before `written` were written, bytes before `released` are not wanted any more.
const written = 0
const released = 1
const closed = 2

const windowSize = 8 << 20

/** The largest piece that is waited for as a whole. */
const pieceSize = 1 << 20

export function makeByteWindow(): ByteWindow {
  return { bytes: new SharedArrayBuffer(windowSize), state: new SharedArrayBuffer(3 * 8) }
}

export interface WindowWriter {
  /** Appends to the stream, as far as the reader has made room; false when it is closed. */
  write(bytes: Uint8Array): Promise<boolean>
  /** Nobody reads any more: who waits for room goes on. */
  close(): void
}

export function openWindowWriter(window: ByteWindow): WindowWriter {
  const ring = new Uint8Array(window.bytes)
  const state = new BigInt64Array(window.state)
  let position = 0
  const room = async (): Promise<number> => {
    for (;;) {
      const seen = Atomics.load(state, released)
      const free = Number(seen) + ring.length - position
      if (free > 0 || Atomics.load(state, closed) === 1n) return Math.max(free, 0)
      const { async, value } = Atomics.waitAsync(state, released, seen)
      if (async) await value
    }
  }
  return {
    write: async bytes => {
      for (let at = 0; at < bytes.length; ) {
        const free = await room()
        if (Atomics.load(state, closed) === 1n) return false
        const start = position % ring.length
        const part = bytes.subarray(at, at + Math.min(free, ring.length - start))
        ring.set(part, start)
        at += part.length
        position += part.length
        Atomics.store(state, written, BigInt(position))
        Atomics.notify(state, written)
      }
      return true
    },
    close: () => closeWindow(state),
  }
}

export interface WindowReader {
  /** The bytes from `start` to `end`; a piece is done with when the next is asked for. Blocks the thread. */
  read(start: number, end: number): Iterable<Uint8Array>
  /** Nothing before the position is wanted any more. */
  release(position: number): void
  close(): void
}

export function openWindowReader(window: ByteWindow): WindowReader {
  const ring = new Uint8Array(window.bytes)
  const state = new BigInt64Array(window.state)
  const waitFor = (position: number): void => {
    for (let seen = Atomics.load(state, written); Number(seen) < position; seen = Atomics.load(state, written))
      Atomics.wait(state, written, seen)
  }
  const release = (position: number): void => {
    if (Number(Atomics.load(state, released)) >= position) return
    Atomics.store(state, released, BigInt(position))
    Atomics.notify(state, released)
  }
  return {
    read: function* (start, end) {
      for (let at = start; at < end; ) {
        release(at)
        const from = at % ring.length
        const size = Math.min(end - at, pieceSize, ring.length - from)
        waitFor(at + size)
        yield ring.subarray(from, from + size)
        at += size
      }
      release(end)
    },
    release,
    close: () => closeWindow(state),
  }
}

function closeWindow(state: BigInt64Array): void {
  Atomics.store(state, closed, 1n)
  // The writer waits for another number in this cell.
  Atomics.add(state, released, 1n)
  Atomics.notify(state, released)
}
