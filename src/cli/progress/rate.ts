/** Bytes per second over the last few seconds, from samples of (time, bytes so far). */
export interface Rate {
  readonly add: (time: number, bytes: number) => void
  /** Undefined before there is enough to tell. */
  readonly perSecond: (now: number) => number | undefined
}

const window = 3_000
/** Samples closer together than this (milliseconds) count as one. */
const resolution = 100

/** Measures a rate over a sliding window. Times in milliseconds. */
export function openRate(): Rate {
  const samples: { time: number; bytes: number }[] = []
  return {
    add(time, bytes) {
      const last = samples.at(-1)
      if (last && samples.length > 1 && time - last.time < resolution) last.bytes = bytes
      else samples.push({ time, bytes })
      while (samples.length > 2 && (samples[1]?.time ?? time) < time - window) samples.shift()
    },
    perSecond(now) {
      const [first] = samples
      const last = samples.at(-1)
      if (!first || !last || now - first.time < 200) return undefined
      return ((last.bytes - first.bytes) * 1000) / (now - first.time)
    },
  }
}
