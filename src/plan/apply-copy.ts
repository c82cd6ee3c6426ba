import { posix } from 'node:path'
import { UserError } from '#diagnostics'
import { type CopyInstruction, expandHeredoc, type Heredoc, mapText, type MappedText, type Word } from '#dockerfile'
import { heredocText } from './apply-run.ts'
import type { CopySource, CopyStep } from './build-plan.ts'
import { isGitSource, isUrlSource, sourcePath } from './copy-sources.ts'
import { describeStep } from './describe-step.ts'
import type { PlacedInstruction } from './discover.ts'
import { parseModeChange } from './file-mode.ts'
import { expandInStage, placeIn, recordStep, type StageState } from './stage-state.ts'
import { slashed } from './working-directory.ts'

/** COPY and ADD → a step. */
export function applyCopy(state: StageState, placed: PlacedInstruction, instruction: CopyInstruction): void {
  const keyword = instruction.kind === 'copy' ? 'COPY' : 'ADD'
  const sources = instruction.sources.map(source =>
    source.kind === 'path'
      ? pathSource(state, placed, { instruction, word: source.path })
      : { shown: `<<${source.heredoc.name}`, source: inlineSource(state, placed, source.heredoc) },
  )
  const destination = expandInStage(state, instruction.destination, placed)
  const options = optionsOf(state, placed, instruction)
  const step: CopyStep = {
    kind: 'copy',
    instruction: keyword,
    from: (instruction.from && state.refOf(instruction.from)) ?? { kind: 'context' },
    sources: sources.map(({ source }) => source),
    destination: destinationOf(state, placed, { word: instruction.destination, text: destination }),
    ...options.step,
    ...describeStep(placed),
  }
  checkRemote(placed, instruction, step)
  const shown = [keyword, ...options.shown, ...sources.map(source => source.shown), destination]
  recordStep(state, step, `${shown.join(' ')} # buildkit`)
}

function pathSource(
  state: StageState,
  placed: PlacedInstruction,
  { instruction, word }: { readonly instruction: CopyInstruction; readonly word: Word },
): { readonly shown: string; readonly source: CopySource } {
  const text = expandInStage(state, word, placed)
  const place = placeIn(placed, word.span)
  const git = isGitSource(text)
  if (instruction.kind === 'copy' && (git || isUrlSource(text))) {
    throw new UserError(`COPY cannot take a ${git ? 'git repository' : 'URL'}`, { hint: 'use ADD', at: place })
  }
  if (text === '') {
    throw new UserError(`a source of ${instruction.keyword.text} is empty: ${word.text} expands to nothing`, {
      hint: 'set the variable; write . for the whole source',
      at: place,
    })
  }
  if (git) return { shown: text, source: { kind: 'git', url: text, place } }
  if (isUrlSource(text)) return { shown: text, source: { kind: 'url', url: text, place } }
  const path = sourcePath(slashed(text, state.platform.os, place), instruction.parents)
  return { shown: text, source: { kind: 'path', ...path, place } }
}

function inlineSource(state: StageState, placed: PlacedInstruction, heredoc: Heredoc): CopySource {
  const expand = (body: MappedText): string =>
    expandInStage(state, body, placed, (word, lookup) => expandHeredoc(word, lookup, placed.source))
  const body = heredoc.expand ? expand(chomped(heredoc)) : heredocText(heredoc)
  const place = placeIn(placed, heredoc.span)
  if (heredoc.name === '.' || heredoc.name === '..' || heredoc.name.includes('/')) {
    throw new UserError(`${JSON.stringify(heredoc.name)} cannot be a file name`, {
      hint: 'the delimiter of a heredoc in COPY and ADD names the file; choose one without slashes',
      at: place,
    })
  }
  return { kind: 'inline', name: heredoc.name, body, place }
}

/** Tabs go before variables are expanded. The places of warnings stay those of the verbatim body. */
function chomped(heredoc: Heredoc): MappedText {
  return heredoc.chomp ? mapText(heredocText(heredoc), heredoc.body.runs[0]?.offset ?? 0) : heredoc.body
}

function destinationOf(
  state: StageState,
  placed: PlacedInstruction,
  { word, text }: { readonly word: Word; readonly text: string },
): CopyStep['destination'] {
  const place = placeIn(placed, word.span)
  const path = slashed(text, state.platform.os, place)
  const absolute = posix.join('/', path.startsWith('/') ? '' : state.config.workingDir, path)
  return {
    path: absolute.replace(/(?<=.)\/$/, ''),
    directory: path === '' || /(^|\/)\.?$/.test(path),
    place,
  }
}

function optionsOf(
  state: StageState,
  placed: PlacedInstruction,
  instruction: CopyInstruction,
): {
  readonly step: Pick<
    CopyStep,
    'chown' | 'chmod' | 'link' | 'parents' | 'exclude' | 'unpack' | 'checksum' | 'keepGitDir'
  >
  readonly shown: readonly string[]
} {
  const valueOf = (word: Word | undefined): string => (word ? expandInStage(state, word, placed) : '')
  const chown = valueOf(instruction.chown)
  const chmod = valueOf(instruction.chmod)
  const checksum = valueOf(instruction.checksum)
  if (state.platform.os === 'windows' && (chown !== '' || chmod !== '')) {
    throw new UserError('--chown and --chmod do not exist on Windows', { hint: 'remove them', at: placeIn(placed) })
  }
  return {
    step: {
      ...(chown !== '' && { chown }),
      ...(chmod !== '' && { chmod: parseModeChange(chmod, placeIn(placed, instruction.chmod?.span)) }),
      ...(checksum !== '' && { checksum }),
      ...(instruction.unpack !== undefined && { unpack: instruction.unpack }),
      link: instruction.link,
      parents: instruction.parents,
      exclude: instruction.exclude.map(({ text }) => text),
      keepGitDir: instruction.keepGitDir,
    },
    shown: [
      ...(instruction.parents ? ['--parents'] : []),
      ...(chown === '' ? [] : [`--chown=${chown}`]),
      ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
    ],
  }
}

/** Flags that mean something for remote sources only. */
function checkRemote(placed: PlacedInstruction, instruction: CopyInstruction, step: CopyStep): void {
  const [only, ...others] = step.sources
  const git = step.sources.some(({ kind }) => kind === 'git')
  if (step.keepGitDir && !git) {
    throw new UserError('--keep-git-dir needs a git repository as source', {
      hint: 'remove the flag',
      at: placeIn(placed),
    })
  }
  if (step.checksum === undefined) return
  const at = placeIn(placed, instruction.checksum?.span)
  if (others.length > 0) {
    throw new UserError('--checksum can be given for one source only', { hint: 'use one ADD for each source', at })
  }
  if (only?.kind !== 'url' && only?.kind !== 'git') {
    throw new UserError('--checksum needs a URL or a git repository as source', { hint: 'remove the flag', at })
  }
  const form = only.kind === 'url' ? /^sha256:[0-9a-f]{64}$/ : /^([0-9a-f]{40}|[0-9a-f]{64})$/
  if (form.test(step.checksum)) return
  throw new UserError(`invalid --checksum=${step.checksum}`, {
    hint: only.kind === 'url' ? 'write sha256: and 64 hexadecimal digits' : 'write the whole commit id',
    at,
  })
}
