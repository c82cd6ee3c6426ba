import { posix } from 'node:path'
import { nearest, type Place, UserError } from '#diagnostics'
import { type MappedText, placeOf, spanOf, type Word } from '#dockerfile'
import type { RunMount, SourceRef } from './build-plan.ts'
import type { PlacedInstruction } from './discover.ts'
import { type MountField, mountFields } from './mount-fields.ts'
import { expandInStage, placeIn, type StageState } from './stage-state.ts'

const keysByType: Readonly<Record<RunMount['type'], readonly string[]>> = {
  bind: ['from', 'source', 'target', 'readonly', 'readwrite'],
  cache: ['id', 'from', 'source', 'target', 'sharing', 'readonly', 'readwrite', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size', 'readwrite'],
  secret: ['id', 'source', 'target', 'env', 'required', 'mode', 'uid', 'gid', 'readonly'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid', 'readonly'],
}

const synonyms: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
}

const switches = ['readonly', 'readwrite', 'required']

/** What is known while one `--mount` is read. */
interface Draft {
  readonly state: StageState
  readonly placed: PlacedInstruction
  readonly word: Word
  readonly place: Place
  readonly type: RunMount['type']
  /** By canonical key; the last one counts. */
  readonly values: ReadonlyMap<string, { readonly text: string; readonly place: Place }>
}

/**
 * One `--mount` value → a mount (section 11.9 of the language page). Throws a `UserError` at the wrong field; a key that
 * the type would ignore is an error too.
 */
export function planMount(
  state: StageState,
  placed: PlacedInstruction,
  { word, sshIndex }: { readonly word: Word; readonly sshIndex: number },
): RunMount {
  const draft = readFields(state, placed, word)
  switch (draft.type) {
    case 'bind':
      return planBind(draft)
    case 'cache':
      return planCache(draft)
    case 'tmpfs':
      return planTmpfs(draft)
    case 'secret':
      return planSecret(draft)
    case 'ssh':
      return {
        type: 'ssh',
        id: textOf(draft, 'id') || 'default',
        target: targetOf(draft, `/run/buildkit/ssh_agent.${sshIndex}`),
        required: switchOf(draft, 'required') ?? false,
        ...fileAttributes(draft, 0o600),
        place: draft.place,
      }
  }
}

function readFields(state: StageState, placed: PlacedInstruction, word: Word): Draft {
  const fields = mountFields(word, placed.source)
  const typeField = fields.findLast(({ key }) => key === 'type')
  const type = typeOf(state, placed, typeField)
  const values = new Map<string, { text: string; place: Place }>()
  for (const field of fields) {
    if (field.key === 'type') continue
    const key = Object.hasOwn(synonyms, field.key) ? (synonyms[field.key] ?? field.key) : field.key
    const place = placeIn(placed, spanOf(field.field))
    checkKey(type, { key, field, place })
    const value =
      field.value && key !== 'from' ? expandInStage(state, field.value, placed) : (field.value?.text ?? 'true')
    values.set(key, { text: value, place })
    // Given last, one of the two counts.
    if (key === 'readonly') values.delete('readwrite')
    if (key === 'readwrite') values.delete('readonly')
  }
  return { state, placed, word, place: placeIn(placed, word.span), type, values }
}

function typeOf(state: StageState, placed: PlacedInstruction, field: MountField | undefined): RunMount['type'] {
  if (!field) return 'bind'
  const type = field.value ? expandInStage(state, field.value, placed).toLowerCase() : ''
  if (type === 'bind' || type === 'cache' || type === 'tmpfs' || type === 'secret' || type === 'ssh') return type
  throw unsupported(field.field, placed, { what: 'mount type', value: type, known: Object.keys(keysByType) })
}

function unsupported(
  field: MappedText,
  placed: PlacedInstruction,
  { what, value, known }: { readonly what: string; readonly value: string; readonly known: readonly string[] },
): Error {
  const near = nearest(value, known)
  return new UserError(`unsupported ${what} ${JSON.stringify(value)}`, {
    hint: near === undefined ? `one of ${known.join(', ')}` : `did you mean ${near}?`,
    at: placeOf(placed.source, field),
  })
}

function checkKey(
  type: RunMount['type'],
  { key, field, place }: { readonly key: string; readonly field: MountField; readonly place: Place },
): void {
  const known = keysByType[type]
  if (!known.includes(key)) {
    const near = nearest(field.key, [...known, 'type', ...Object.keys(synonyms)])
    throw new UserError(`unexpected key ${JSON.stringify(field.key)} for a mount of type ${type}`, {
      hint:
        near === undefined || near === field.key
          ? `such a mount takes type, ${known.join(', ')}`
          : `did you mean ${near}?`,
      at: place,
    })
  }
  if (field.value || switches.includes(key)) return
  throw new UserError(`${JSON.stringify(field.field.text)} in --mount must be a key=value pair`, {
    hint: `write ${field.key}=VALUE`,
    at: place,
  })
}

function planBind(draft: Draft): RunMount {
  return {
    type: 'bind',
    target: targetOf(draft),
    from: refOf(draft) ?? { kind: 'context' },
    source: sourceOf(draft),
    writable: switchOf(draft, 'readwrite') ?? !(switchOf(draft, 'readonly') ?? true),
    place: draft.place,
  }
}

function planCache(draft: Draft): RunMount {
  const target = targetOf(draft)
  const id = textOf(draft, 'id')
  const from = refOf(draft)
  const namespace = draft.state.buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') ?? ''
  const sharing = (textOf(draft, 'sharing') || 'shared').toLowerCase()
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') {
    throw invalid(draft, 'sharing', 'one of shared, private, locked')
  }
  return {
    type: 'cache',
    target,
    id: id || target,
    idGiven: id !== '',
    ...(namespace !== '' && { namespace }),
    sharing,
    ...(from && { from }),
    source: sourceOf(draft),
    readonly: switchOf(draft, 'readonly') ?? !(switchOf(draft, 'readwrite') ?? true),
    ...modeOf(draft),
    ...idOf(draft, 'uid'),
    ...idOf(draft, 'gid'),
    place: draft.place,
  }
}

function planTmpfs(draft: Draft): RunMount {
  if (switchOf(draft, 'readwrite') === false)
    throw invalid(draft, 'readwrite', 'a tmpfs that cannot be written to is of no use')
  const size = draft.values.get('size')
  const bytes = size && parseSize(size.text)
  if (size && bytes === undefined) throw invalid(draft, 'size', 'write a number of bytes, or with a unit: 64m, 1g')
  return { type: 'tmpfs', target: targetOf(draft), ...(bytes !== undefined && { size: bytes }), place: draft.place }
}

function planSecret(draft: Draft): RunMount {
  const givenId = textOf(draft, 'id')
  const source = textOf(draft, 'source')
  const givenTarget = textOf(draft, 'target')
  const env = textOf(draft, 'env')
  if (givenId !== '' && source !== '') throw invalid(draft, 'source', 'give either id or source: both name the secret')
  const id = givenId || source || posix.basename(givenTarget)
  if (id === '') {
    throw new UserError('a secret mount needs an id or a target', {
      hint: 'write --mount=type=secret,id=NAME',
      at: draft.place,
    })
  }
  if (switchOf(draft, 'readonly') === false) throw invalid(draft, 'readonly', 'secrets are always read-only')
  const target = givenTarget === '' && env !== '' ? undefined : targetOf(draft, `/run/secrets/${posix.basename(id)}`)
  return {
    type: 'secret',
    id,
    ...(target !== undefined && { target }),
    ...(env !== '' && { env }),
    required: switchOf(draft, 'required') ?? false,
    ...fileAttributes(draft, 0o400),
    place: draft.place,
  }
}

function textOf({ values }: Draft, key: string): string {
  return values.get(key)?.text ?? ''
}

/** Absolute and clean; a relative target starts at the working directory. */
function targetOf(draft: Draft, fallback = ''): string {
  const text = textOf(draft, 'target') || fallback
  const target = posix
    .join('/', text.startsWith('/') ? '' : draft.state.config.workingDir, text)
    .replace(/(?<=.)\/$/, '')
  if (target !== '/') return target
  throw new UserError('invalid mount target "/"', {
    hint: text === '' ? 'write target=/path' : 'nothing can be mounted over the whole root file system',
    at: draft.values.get('target')?.place ?? draft.place,
  })
}

/** Clean, with a leading slash, never above the root. */
function sourceOf(draft: Draft): string {
  return posix.join('/', textOf(draft, 'source')).replace(/(?<=.)\/$/, '')
}

function refOf({ state, word }: Draft): SourceRef | undefined {
  return state.refOf(word)
}

function switchOf(draft: Draft, key: string): boolean | undefined {
  const value = draft.values.get(key)
  if (!value) return undefined
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value.text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value.text)) return false
  throw invalid(draft, key, 'write true or false')
}

function fileAttributes(
  draft: Draft,
  mode: number,
): { readonly mode: number; readonly uid: number; readonly gid: number } {
  return { mode, uid: 0, gid: 0, ...modeOf(draft), ...idOf(draft, 'uid'), ...idOf(draft, 'gid') }
}

function modeOf(draft: Draft): { readonly mode?: number } {
  const value = draft.values.get('mode')
  if (!value) return {}
  if (!/^[0-7]{1,6}$/.test(value.text) || Number.parseInt(value.text, 8) > 0o7777) {
    throw invalid(draft, 'mode', 'write an octal mode, such as 0755')
  }
  return { mode: Number.parseInt(value.text, 8) }
}

function idOf<K extends 'uid' | 'gid'>(draft: Draft, key: K): { readonly [key in K]?: number } {
  const value = draft.values.get(key)
  if (!value) return {}
  if (!/^\d{1,10}$/.test(value.text) || Number(value.text) > 0xffff_fffe) throw invalid(draft, key, 'write a number')
  return { [key]: Number(value.text) } as { readonly [key in K]?: number }
}

function invalid(draft: Draft, key: string, hint: string): Error {
  const value = draft.values.get(key)
  return new UserError(`invalid value ${JSON.stringify(value?.text ?? '')} for ${key}`, {
    hint,
    at: value?.place ?? draft.place,
  })
}

/** `64m`, `1.5 GiB`: bytes with a binary unit. */
function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text)
  if (!match) return undefined
  // Without a unit the index is 0: bytes.
  const bytes = Math.floor(Number(match[1]) * 1024 ** ' kmgtp'.indexOf(match[2]?.toLowerCase() || ' '))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
