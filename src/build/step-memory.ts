import { formatPlatform } from '#oci'
import type { StagePlan, Step } from '#plan'
import type { CacheInputs, Store } from '#store'
import { shownInputs } from './shown-inputs.ts'
import type { CacheKey } from './step-kind.ts'

/** What a step was made from, when it was last built. */
export interface RememberedStep {
  readonly kind: Step['kind']
  /** The instruction as written. */
  readonly text: string
  /** Inputs of all its keys together, without secrets. */
  readonly inputs: CacheInputs
}

export interface RememberedStage {
  /** Name and content of what it is built from. */
  readonly base: { readonly name: string; readonly id: string }
  readonly steps: readonly RememberedStep[]
}

/** The last build of each stage of a Dockerfile. */
export interface StepMemory {
  /** As it was before this build. */
  stage(stage: StagePlan): RememberedStage | undefined
  /** Keeps a stage as far as it was built; what the last build had behind that stays. */
  remember(stage: StagePlan, now: RememberedStage): void
  /** Writes down what changed. */
  save(): Promise<void>
}

/** Reads what is known of a Dockerfile; `subject` says which one it is. */
export function openStepMemory(store: Store, subject: string): StepMemory {
  const before = parse(store.lastBuilds.read(subject))
  const own = new Map<string, RememberedStage>()
  return {
    stage: stage => before.get(nameOf(stage)),
    remember: (stage, now) => {
      const known = before.get(nameOf(stage))?.steps ?? []
      own.set(nameOf(stage), { ...now, steps: [...now.steps, ...known.slice(now.steps.length)] })
    },
    save: async () => {
      if ([...own].every(([name, stage]) => same(stage, before.get(name)))) return
      // Another build of the same Dockerfile may have written meanwhile.
      const all = new Map([...parse(store.lastBuilds.read(subject)), ...own])
      await store.lastBuilds.write(subject, JSON.stringify([...all]))
    },
  }
}

/** What to remember of a step. What a cheap key did not have to look at is as it was, if all else is. */
export function rememberStep(step: Step, keys: readonly CacheKey[], last: RememberedStep | undefined): RememberedStep {
  const inputs = shownInputs(Object.assign({}, ...keys.map(key => key.inputs)) as CacheInputs)
  const known = last && Object.keys(inputs).every(name => same(inputs[name], last.inputs[name])) ? last.inputs : {}
  return { kind: step.kind, text: step.text, inputs: { ...known, ...inputs } }
}

/** Whether two inputs are equal as data. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function nameOf({ name, platform }: StagePlan): string {
  return `${name} ${formatPlatform(platform)}`
}

/** Nothing is known rather than something wrong. */
function parse(text: string | undefined): ReadonlyMap<string, RememberedStage> {
  try {
    return new Map(text === undefined ? [] : (JSON.parse(text) as [string, RememberedStage][]))
  } catch {
    return new Map()
  }
}
