import type { Builder, slipwayBuilder } from './builders.ts'
import type { Command, Run } from './measure.ts'
import type { Registry } from './registry.ts'

/** What scenarios work with. */
export interface Bed {
  /** All inputs and stores are below; gone at the end. */
  readonly folder: string
  readonly slipway: ReturnType<typeof slipwayBuilder>
  readonly peers: readonly Builder[]
  readonly registry: Registry | undefined
  /** Name of a base image with a shell and its tools, in everybody's store. */
  readonly base: string
  /** Writes a Dockerfile and gives its path. */
  readonly dockerfile: (name: string, text: string) => string
  /** Runs a command that nobody measures; gives its standard output. */
  readonly run: (command: Command) => Promise<string>
  /** Names that images have in stores of peers, to be removed at the end. */
  readonly left: Set<string>
  /** Whether slipway has the command here. */
  readonly knows: (command: string) => boolean
}

/** One row: the same work by everyone who takes part. */
export interface Case {
  readonly id: string
  readonly title: string
  /** Undefined: this builder has no part in it. */
  readonly command: (builder: Builder, round: number) => Command | undefined
  /** Before each run, not measured. Rounds count from 0 (the warm-up) for each builder apart. */
  readonly before?: (builder: Builder, round: number) => Promise<void> | void
  /** Throws when what slipway made is wrong. */
  readonly check?: (run: Run, round: number) => Promise<void> | void
  /** What no builder can do without, measured in the same run. */
  readonly floor?: Floor
  /** At most so many counted rounds, where a round takes long. */
  readonly mostRounds?: number
  /** Looks at memory in every run: the clock counts for less here. */
  readonly memoryCounts?: boolean
  /** A number that belongs to the row: a size, a count. */
  readonly note?: () => Promise<string> | string
}

export interface Floor {
  readonly text: string
  readonly commands: readonly Command[]
}

export interface Scenario {
  readonly id: string
  /** Why it cannot be done here; undefined when it can. */
  readonly missing?: (bed: Bed) => string | undefined
  readonly cases: (bed: Bed) => Promise<readonly Case[]> | readonly Case[]
}

/** The target image's name, for everybody. */
export const resultTag = 'slipway-bench'

/** The identity of the image that slipway built. */
export function imageId(run: Run): string {
  const id = /sha256:[0-9a-f]{64}/.exec(run.stdout)?.[0]
  if (id === undefined) throw new Error(`slipway printed no image id: ${JSON.stringify(run.stdout)}`)
  return id
}

/** A check that every round gives the image of the first one. */
export function sameImage(): (run: Run) => void {
  let first: string | undefined
  return run => {
    const id = imageId(run)
    first ??= id
    if (id !== first) throw new Error(`the same input gave ${first} before and ${id} now`)
  }
}

/** A check that every round gives another image. */
export function newImage(): (run: Run) => void {
  const seen = new Set<string>()
  return run => {
    const id = imageId(run)
    if (seen.has(id)) throw new Error(`another input gave the same image ${id}`)
    seen.add(id)
  }
}

export const nodeStart: Command = { program: process.execPath, args: ['-e', '0'] }
