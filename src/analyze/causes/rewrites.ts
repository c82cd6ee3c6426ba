import type { Entry } from '#tree'
import type { Instruction } from '../instructions.ts'
import type { PathGroup } from '../whole-paths.ts'
import type { Rewrite } from './cause.ts'

/** The command of a RUN, or undefined. */
export function commandOf({ keyword, text }: Instruction): string | undefined {
  return keyword === 'RUN' ? text.slice('RUN '.length).trim() : undefined
}

/** `line 4`, or the beginning of the text where no line is known. */
export function nameOf({ lines, text, keyword }: Instruction): string {
  if (lines) return `line ${lines.first}`
  if (text === '') return 'a layer without history'
  if (isBaseBuild({ keyword, text })) return 'slipway base build'
  const short = text.length > 48 ? `${text.slice(0, 47)}…` : text
  return keyword === '' ? short : `"${short}"`
}

/** Whether the layer was made from a base file: no line of a Dockerfile can change it. */
export function isBaseBuild({ keyword, text }: Instruction): boolean {
  return keyword === '' && text.startsWith('slipway base build ')
}

/** Both commands in one layer, so that what the second takes away never reaches one. */
export function joinRuns(first: Instruction, second: Instruction): Rewrite {
  const [one, two] = [commandOf(first) ?? '', commandOf(second) ?? '']
  return {
    kind: 'join-runs',
    text: `do both in one RUN: join ${nameOf(second)} to ${nameOf(first)}`,
    lines: [`RUN ${one} \\`, ` && ${two}`],
  }
}

/** Files of the context that only commands need. */
export function bindMount(copy: Instruction, paths: readonly PathGroup[]): Rewrite {
  const path = paths[0]?.path ?? ''
  const target = `/${path.replace(/\/$/, '')}`
  const source = target.slice(target.lastIndexOf('/') + 1)
  return {
    kind: 'bind-mount',
    text: `show the files to the command instead of copying them in ${nameOf(copy)}, or leave them out with .dockerignore`,
    lines: [`RUN --mount=type=bind,source=${source},target=${target} …`],
  }
}

/** What the first COPY brings and a later layer writes again. */
export function leaveOut(first: Instruction, paths: readonly PathGroup[]): Rewrite {
  const names = paths.slice(0, 5).map(({ path }) => path.replace(/\/$/, '').split('/').at(-1) ?? path)
  const rest = first.text.slice(first.keyword.length).trim()
  const flags = names.map(name => `--exclude=${quoted(`**/${name}`)}`).join(' ')
  return {
    kind: 'leave-out',
    text: `leave out of ${nameOf(first)} what is written again later`,
    lines: first.keyword === 'COPY' || first.keyword === 'ADD' ? [`${first.keyword} ${flags} ${rest}`] : [],
  }
}

function quoted(pattern: string): string {
  return /\s/.test(pattern) ? JSON.stringify(pattern) : pattern
}

/** One file before and after. */
interface Change {
  readonly from: Entry
  readonly to: Entry
}

/** Owner and mode given when the files are copied. */
export function setOwner(copy: Instruction, changes: readonly Change[]): Rewrite {
  const owners = new Set(changes.map(({ to }) => `${to.uid}:${to.gid}`))
  const ownerChanged = changes.some(({ from, to }) => from.uid !== to.uid || from.gid !== to.gid)
  const modeChanged = changes.filter(({ from, to }) => from.mode !== to.mode)
  const isWhole = modeChanged.length === changes.length
  const mode = modeChanged.length === 0 ? undefined : modeText(modeChanged)
  const flags = [
    ...(ownerChanged ? [`--chown=${owners.size === 1 ? [...owners][0] : 'USER:GROUP'}`] : []),
    ...(mode !== undefined && isWhole ? [`--chmod=${mode}`] : []),
  ]
  const rest = copy.text.slice(copy.keyword.length).trim()
  const apart = mode === undefined || isWhole ? [] : [`# apart, with --chmod=${mode}: ${someNames(modeChanged)}`]
  return {
    kind: 'set-owner',
    text: `give owner and mode when the files are copied in ${nameOf(copy)}`,
    lines: [...(flags.length > 0 ? [`${copy.keyword} ${flags.join(' ')} ${rest}`] : []), ...apart],
  }
}

function someNames(changes: readonly Change[]): string {
  const names = changes.slice(0, 3).map(({ to }) => `/${to.path}`)
  return `${names.join(' ')}${changes.length > names.length ? ' …' : ''}`
}

/** One mode for all, or what all of them gained and lost. */
function modeText(changes: readonly Change[]): string {
  const modes = new Set(changes.map(({ to }) => to.mode))
  return modes.size === 1 ? octal([...modes][0] ?? 0) : modeWords(changes)
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0')
}

/** Bits that all files got, as chmod writes them (`u+x,g+w`); modes that have nothing in common stay a word. */
function modeWords(changes: readonly Change[]): string {
  const all = (bits: (change: Change) => number): number =>
    changes.reduce((common, change) => common & bits(change), 0o777)
  const set = all(({ to }) => to.mode)
  const cleared = all(({ to }) => ~to.mode & 0o777)
  const changed = changes.reduce((bits, { from, to }) => bits | (from.mode ^ to.mode), 0) & 0o777
  if ((changed & ~(set | cleared)) !== 0) return 'MODE'
  const words = (['u', 'g', 'o'] as const).flatMap((who, i) => {
    const part = (bits: number): string =>
      ['r', 'w', 'x'].filter((_, bit) => (bits >> (6 - 3 * i)) & (4 >> bit)).join('')
    const [plus, minus] = [part(changed & set), part(changed & cleared)]
    return [...(plus ? [`${who}+${plus}`] : []), ...(minus ? [`${who}-${minus}`] : [])]
  })
  return words.join(',')
}

/** Nothing above the base can take bytes out of it. */
export function otherBase(text: string): Rewrite {
  return { kind: 'other-base', text, lines: [] }
}
