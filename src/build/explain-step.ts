import type { CacheReason } from '#diagnostics'
import type { StagePlan, Step } from '#plan'
import type { Store } from '#store'
import { changedFiles } from './changed-files.ts'
import { lastOf } from './last-step.ts'
import { type RememberedStage, type RememberedStep, same } from './step-memory.ts'

/** A step that missed, and what is known about it. */
export interface Missed {
  readonly store: Store
  readonly stage: StagePlan
  readonly index: number
  /** This build, up to and including the step. */
  readonly now: RememberedStage
  readonly before: RememberedStage | undefined
  /** Whether the cache was looked into. */
  readonly mayHit: boolean
}

/** Why a step missed: each input that differs from the last build of the same stage. Never empty. */
export function explainMiss(missed: Missed): readonly CacheReason[] {
  const { stage, index, now, before, mayHit } = missed
  if (!mayHit) return [{ input: 'no-cache', text: 'the cache was not asked: --no-cache' }]
  const step = now.steps[index] as RememberedStep
  if (!before) return [{ input: 'first', text: `no earlier build of stage "${stage.name}" is known` }]
  const last = lastOf(before, { step: stage.steps[index] as Step, index, stage })
  if (!last) return [{ input: 'first', text: 'the last build did not have this step' }]
  const reasons: CacheReason[] = []
  for (const name of new Set([...Object.keys(last.inputs), ...Object.keys(step.inputs)])) {
    const [a, b] = [last.inputs[name], step.inputs[name]]
    if (!same(a, b)) reasons.push(...reasonsOf(name, [a, b], missed))
  }
  if (reasons.length > 0) return reasons
  return [{ input: 'store', text: 'nothing changed, but the result is no longer in the store' }]
}

type Pair = readonly [before: unknown, now: unknown]

function reasonsOf(name: string, pair: Pair, missed: Missed): readonly CacheReason[] {
  switch (name) {
    case 'parent':
      return [parentReason(missed)]
    case 'env':
      return changedVariables(pair, missed.stage)
    case 'content':
      return changedFiles(missed.store, pair)
    case 'mounts':
      return changedMounts(missed.store, pair)
    case 'step':
      return changedParts(pair, 'instruction')
    case 'owner':
      return [{ input: 'owner', text: `owner that --chown names: ${change(pair.map(ownerText))}` }]
    case 'source':
      // What was really taken follows under `content`, where it could be read.
      return contentDiffers(missed)
        ? []
        : [{ input: 'source', text: 'the stage or image it copies from is another one' }]
    case 'platform':
      return [{ input: 'platform', text: `platform: ${change(pair)}` }]
    case 'argv':
    case 'script':
    case 'workdir':
    case 'user':
    case 'network':
    case 'security':
    case 'path':
      return [{ input: 'instruction', name, text: `${labels[name]}: ${change(pair)}` }]
    default:
      return [{ input: 'other', name, text: `${name}: ${change(pair)}` }]
  }
}

const labels = {
  argv: 'command',
  script: 'script',
  workdir: 'working directory',
  user: 'user',
  network: 'network',
  security: 'security mode',
  path: 'path',
} as const

function contentDiffers({ now, before, index, stage }: Missed): boolean {
  const last = before && lastOf(before, { step: stage.steps[index] as Step, index, stage })
  const [a, b] = [last?.inputs['content'], now.steps[index]?.inputs['content']]
  return a !== undefined && b !== undefined && !same(a, b)
}

/** What lies below is another thing: because of the base, or because of a step above. */
function parentReason({ stage, index, now, before }: Missed): CacheReason {
  const above = stage.steps[index - 1]
  if (above) return { input: 'below', name: above.text, text: `what it builds on changed: ${above.text}` }
  const name = now.base.name
  if (before && before.base.name !== name)
    return { input: 'base', name, text: `FROM: ${change([before.base.name, name])}` }
  const ids = before && before.base.id !== now.base.id ? `: ${short(before.base.id)} → ${short(now.base.id)}` : ''
  return { input: 'base', name, text: `${stage.base.kind === 'stage' ? 'stage' : 'base image'} ${name} changed${ids}` }
}

function changedVariables([before, now]: Pair, stage: StagePlan): readonly CacheReason[] {
  const [a, b] = [variablesOf(before), variablesOf(now)]
  const args = new Set(stage.args.map(([name]) => name))
  const names = [...new Set([...a.keys(), ...b.keys()])].filter(name => a.get(name) !== b.get(name))
  if (names.length === 0) return [{ input: 'environment', text: 'the order of environment variables changed' }]
  return names.map(name => {
    const isArgument = args.has(name)
    const what = isArgument ? 'argument' : 'environment variable'
    const pair: Pair = [a.get(name), b.get(name)]
    return { input: isArgument ? 'argument' : 'environment', name, text: `${what} ${name}: ${change(pair)}` }
  })
}

function variablesOf(lines: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(lines)) return new Map()
  return new Map(
    lines.map(line => {
      const text = String(line)
      const at = text.indexOf('=')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function changedMounts(store: Store, [before, now]: Pair): readonly CacheReason[] {
  const [a, b] = [before, now].map(value => (Array.isArray(value) ? (value as Record<string, unknown>[]) : []))
  const reasons: CacheReason[] = []
  for (let i = 0; i < Math.max(a?.length ?? 0, b?.length ?? 0); i++) {
    const [old, mount] = [a?.[i], b?.[i]]
    const name = `${String((mount ?? old)?.['type'])} ${String((mount ?? old)?.['target'])}`
    if (!old || !mount) reasons.push({ input: 'mount', name, text: `mount ${name}: ${mount ? 'added' : 'removed'}` })
    else if (!same({ ...old, content: 0 }, { ...mount, content: 0 }))
      reasons.push({ input: 'mount', name, text: `mount ${name}: its options changed` })
    else if (!same(old['content'], mount['content']))
      reasons.push(...changedFiles(store, [old['content'], mount['content']], `mount ${name}`))
  }
  return reasons
}

function changedParts([before, now]: Pair, input: 'instruction'): readonly CacheReason[] {
  const [a, b] = [before, now].map(value => (typeof value === 'object' && value !== null ? value : {})) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter(name => !same(a[name], b[name]))
    .map(name => ({ input, name, text: `${name}: ${change([a[name], b[name]])}` }))
}

/** `"1" → "2"`, `added: "2"`, `removed: "1"`. */
function change([before, now]: readonly unknown[]): string {
  if (before === undefined || before === null) return `added: ${shown(now)}`
  if (now === undefined || now === null) return `removed: ${shown(before)}`
  return `${shown(before)} → ${shown(now)}`
}

function shown(value: unknown): string {
  // The shell in front of a command says little; its text is what people write.
  const text = JSON.stringify(Array.isArray(value) && value.length > 0 ? value.at(-1) : value) ?? ''
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

function ownerText(owner: unknown): string | undefined {
  const { uid, gid } = (owner ?? {}) as { uid?: number; gid?: number }
  return uid === undefined ? undefined : `${uid}:${gid}`
}

function short(id: string): string {
  return id.slice(0, id.startsWith('sha256:') ? 19 : 12)
}
