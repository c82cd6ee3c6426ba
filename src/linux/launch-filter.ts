/** Sees the start of a command's standard error. */
export interface LaunchFilter {
  readonly push: (chunk: Uint8Array) => void
  /** After the last chunk: the launcher's message without its name, if all there was came from it. */
  readonly end: () => string | undefined
}

/**
 * Tells a message of the programs that start a command from the command's own standard error: when the very first bytes
 * are `name`, they are held back until the end; everything else is passed on as it comes.
 */
export function createLaunchFilter(name: string, pass: (chunk: Uint8Array) => void): LaunchFilter {
  const mark = Buffer.from(name)
  /** Undefined once it is clear that the command itself writes. */
  let held: Buffer | undefined = Buffer.alloc(0)
  return {
    push(chunk) {
      if (held === undefined) return pass(chunk)
      held = Buffer.concat([held, chunk])
      const seen = Math.min(held.length, mark.length)
      if (held.length < 64 * 1024 && held.subarray(0, seen).equals(mark.subarray(0, seen))) return
      pass(held)
      held = undefined
    },
    end() {
      if (held === undefined || held.length === 0) return undefined
      if (held.subarray(0, mark.length).equals(mark))
        return held
          .toString('utf8')
          .trim()
          .replace(/^\S+: /, '')
      pass(held)
      return undefined
    },
  }
}
