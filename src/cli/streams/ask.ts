import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { CliContext } from '../context.ts'

/** Asks a person at the terminal for one line, on standard error. What is `secret` is not shown while it is typed. */
export async function ask(question: string, secret: boolean, context: CliContext): Promise<string> {
  const { stdin, stderr, interrupts } = context
  let quiet = false
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!quiet) stderr.write(chunk)
      done()
    },
  })
  const reader = createInterface({ input: stdin, output, terminal: true, historySize: 0 })
  // In raw mode the terminal sends the key instead of the signal.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = reader.question(question, { signal: interrupts.signal })
    quiet = secret
    return await answer
  } finally {
    reader.close()
    if (secret) stderr.write('\n')
  }
}
