import { testBaseName } from '../oracle/test-base.ts'
import type { BuildCase, ContextObject } from './build-case.ts'
import { generateContext, generateIgnore } from './generate-context.ts'
import { baseKinds, generateCopy } from './generate-copy.ts'
import { generateMetadata } from './generate-metadata.ts'
import { generateRun } from './generate-run.ts'
import { type Random, randomOf } from './random.ts'

export interface Stage {
  readonly name: string
  /** It has the files of the test base, a shell among them. */
  readonly hasBase: boolean
  /** Destinations so far: later instructions meet what earlier ones made. */
  readonly destinations: string[]
  /** What lies at absolute paths, as far as it is known: most copies shall fit onto it. */
  readonly kinds: Map<string, Kind>
}

export type Kind = 'file' | 'directory'

/** What an instruction can refer to. */
export interface Surroundings {
  readonly random: Random
  readonly objects: readonly ContextObject[]
  /** There is an ignore file. */
  readonly ignores: boolean
  /** The stage that the instruction belongs to. */
  readonly stage: Stage
  /** The stages before. */
  readonly stages: readonly Stage[]
  /** Arguments and variables that were declared somewhere. */
  readonly variables: string[]
}

export interface GenerateOptions {
  /** RUN instructions can be built here. */
  readonly runs: boolean
}

/** The case that a seed stands for. */
export function generateCase(seed: number, options: GenerateOptions): BuildCase {
  const random = randomOf(seed)
  const objects = generateContext(random)
  const ignore = generateIgnore(random, objects)
  const variables: string[] = []
  const instructions: string[] = []
  const buildArgs: Record<string, string> = {}
  if (random.oneIn(4)) {
    instructions.push(`ARG GLOBAL=${random.pick(['g', '"two words"', '/base', ''])}`)
    variables.push('GLOBAL')
    if (random.oneIn(2)) buildArgs['GLOBAL'] = random.pick(['given', '/given/path', ''])
  }
  if (random.oneIn(4)) buildArgs['A'] = random.pick(['from command line', '1', ''])
  const stages: Stage[] = []
  const count = random.weighted([
    [5, 1],
    [4, 2],
    [2, 3],
  ])
  for (let i = 0; i < count; i++) {
    const parent = random.weighted([
      [10, { name: 'scratch', hasBase: false, destinations: [], kinds: new Map() }],
      [8, { name: testBaseName, hasBase: true, destinations: [], kinds: new Map(baseKinds) }],
      [stages.length > 0 ? 5 : 0, stages.at(-1)],
    ])
    if (parent === undefined) throw new Error('no stage to start from')
    const stage: Stage = {
      ...parent,
      name: `stage${i}`,
      destinations: [...parent.destinations],
      kinds: new Map(parent.kinds),
    }
    instructions.push(`FROM ${parent.name} AS ${stage.name}`)
    const around: Surroundings = { random, objects, ignores: ignore.length > 0, stage, stages: [...stages], variables }
    instructions.push(...random.list(2, 6, () => generateInstruction(around, options)))
    stages.push(stage)
  }
  return { name: `seed ${seed}`, instructions, objects, ignore, buildArgs, cached: random.oneIn(2) }
}

function generateInstruction(around: Surroundings, { runs }: GenerateOptions): string {
  const { random, stage } = around
  const make = random.weighted([
    [10, generateCopy],
    [6, generateMetadata],
    [runs && stage.hasBase ? 3 : 0, generateRun],
  ])
  const text = make(around)
  return random.oneIn(12) ? inOtherShape(random, text) : text
}

/** The same instruction written in another way: section 3 of the language page. */
function inOtherShape(random: Random, text: string): string {
  const at = text.indexOf(' ')
  const [keyword, rest] = [text.slice(0, at), text.slice(at + 1)]
  return random.pick([
    `  ${keyword.toLowerCase()} \t${rest}`,
    `${keyword} \\\n${rest}`,
    `${keyword} \\  \n# a comment\n   ${rest}`,
    `# before\n${keyword} \\\n\n${rest}\r`,
  ])
}
