import { stripVTControlCharacters } from 'node:util'

/** The end of a command's output, for its error. */
export interface LogTail {
  push(stream: 'stdout' | 'stderr', data: Uint8Array): void
  lines(): readonly string[]
}

const keptLines = 20
const keptBytes = 16_384

/** Keeps the last 20 lines of at most 16 KiB, as they would look on a terminal: a line rewritten with `\r` counts once. */
export function createLogTail(): LogTail {
  let text = Buffer.alloc(0)
  return {
    push: (_stream, data) => {
      text = Buffer.concat([text, data])
      if (text.length > 2 * keptBytes) text = text.subarray(text.length - keptBytes)
    },
    lines: () => {
      const lines = text.toString('utf8').split('\n').map(printable)
      while (lines.at(-1) === '') lines.pop()
      return lines.slice(-keptLines)
    },
  }
}

function printable(line: string): string {
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? ''
  // Output of a build must not steer the terminal it is shown on.
  return stripVTControlCharacters(last).replace(/\p{Cc}/gu, c => (c === '\t' ? c : '\u{fffd}'))
}
