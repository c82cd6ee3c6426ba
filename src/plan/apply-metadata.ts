import { UserError } from '#diagnostics'
import {
  type Command,
  expandToWords,
  formatDuration,
  type HealthcheckInstruction,
  type KeyValuesInstruction,
  type ShellInstruction,
  type TextInstruction,
  type WordsInstruction,
} from '#dockerfile'
import type { HealthCheck } from '#oci'
import { compareBytes } from './config-draft.ts'
import { describeStep } from './describe-step.ts'
import type { PlacedInstruction } from './discover.ts'
import { exposedPorts } from './exposed-ports.ts'
import { goList, goQuoteList } from './go-format.ts'
import { assign } from './scope.ts'
import {
  expandInStage,
  placeIn,
  recordMetadata,
  recordStep,
  reportInStage,
  shellOf,
  type StageState,
} from './stage-state.ts'
import { isSignal } from './stop-signal.ts'
import { cleanDirectory, nextDirectory, slashed } from './working-directory.ts'

/** ENV and LABEL: every value is fixed before the first one is set. */
export function applyKeyValues(state: StageState, placed: PlacedInstruction, instruction: KeyValuesInstruction): void {
  const keyword = instruction.kind === 'env' ? 'ENV' : 'LABEL'
  const pairs = instruction.pairs.map(({ name, value, span }) => {
    const key = expandInStage(state, name, placed)
    if (key !== '' || instruction.kind === 'label') return [key, expandInStage(state, value, placed)] as const
    throw new UserError(`ENV names cannot be blank: ${name.text} expands to nothing`, {
      hint: 'write ENV NAME=value',
      at: placeIn(placed, span),
    })
  })
  for (const [name, value] of pairs) {
    if (instruction.kind === 'label') state.config.labels.set(name, value)
    else setEnvironment(state, name, value)
  }
  recordMetadata(state, [keyword, ...pairs.map(([name, value]) => `${name}=${value}`)].join(' '))
}

function setEnvironment(state: StageState, name: string, value: string): void {
  const { env } = state.config
  const index = env.findIndex(entry => entry === name || entry.startsWith(`${name}=`))
  if (index === -1) env.push(`${name}=${value}`)
  else env[index] = `${name}=${value}`
  assign(state.scope, name, value)
}

/** A command as it is stored: the exec form as it is, the shell form behind the shell. */
export function commandArguments(state: StageState, command: Command): readonly string[] {
  return command.form === 'exec' ? command.args.map(({ text }) => text) : [...shellOf(state), command.text.text]
}

export function applyCmd(state: StageState, command: Command): void {
  const cmd = commandArguments(state, command)
  state.config.cmd = cmd
  state.config.argsEscaped = true
  state.cmdSet = true
  recordMetadata(state, `CMD ${goQuoteList(cmd)}`)
}

/** ENTRYPOINT also takes back a CMD that this stage has not given. */
export function applyEntrypoint(state: StageState, command: Command): void {
  const entrypoint = commandArguments(state, command)
  state.config.entrypoint = entrypoint
  if (!state.cmdSet) state.config.cmd = undefined
  recordMetadata(state, `ENTRYPOINT ${goQuoteList(entrypoint)}`)
}

export function applyShell(state: StageState, { shell }: ShellInstruction): void {
  state.config.shell = shell.map(({ text }) => text)
  recordMetadata(state, `SHELL ${goList(state.config.shell)}`)
}

export function applyText(state: StageState, placed: PlacedInstruction, instruction: TextInstruction): void {
  if (instruction.kind === 'maintainer') {
    state.author = instruction.value.text
    recordMetadata(state, `MAINTAINER ${state.author}`)
    return
  }
  const value = expandInStage(state, instruction.value, placed)
  switch (instruction.kind) {
    case 'user':
      state.config.user = value
      recordMetadata(state, `USER ${value}`)
      return
    case 'stopsignal':
      applyStopSignal(state, placed, instruction, value)
      return
    case 'workdir':
      applyWorkdir(state, placed, instruction, value)
      return
  }
}

function applyStopSignal(
  state: StageState,
  placed: PlacedInstruction,
  { value: word }: TextInstruction,
  value: string,
): void {
  const at = placeIn(placed, word.span)
  if (state.platform.os === 'windows') {
    throw new UserError('STOPSIGNAL does not exist on Windows', { hint: 'remove it', at })
  }
  if (!isSignal(value)) {
    throw new UserError(`invalid signal ${JSON.stringify(value)}`, {
      hint: 'write a name such as SIGTERM, or a number',
      at,
    })
  }
  state.config.stopSignal = value
  recordMetadata(state, `STOPSIGNAL ${value}`)
}

function applyWorkdir(
  state: StageState,
  placed: PlacedInstruction,
  { value: word }: TextInstruction,
  value: string,
): void {
  const path = slashed(value, state.platform.os, placeIn(placed, word.span))
  const directory = nextDirectory(state.config.workingDir, path)
  state.config.workingDir = directory
  const createdBy = `WORKDIR ${directory}`
  if (directory === '/') recordMetadata(state, createdBy)
  else {
    const step = {
      kind: 'workdir' as const,
      path: cleanDirectory(directory),
      user: state.config.user,
      ...describeStep(placed),
    }
    recordStep(state, step, createdBy)
  }
}

export function applyWords(state: StageState, placed: PlacedInstruction, instruction: WordsInstruction): void {
  if (instruction.kind === 'expose') applyExpose(state, placed, instruction)
  else applyVolume(state, placed, instruction)
}

function applyExpose(state: StageState, placed: PlacedInstruction, { words }: WordsInstruction): void {
  const sorted = words.toSorted((a, b) => compareBytes(a.text, b.text))
  const ports = exposedPorts(
    sorted.flatMap(word => {
      const expansion = expandToWords(word, name => state.scope.get(name), placed)
      reportInStage(state, expansion, placed)
      return expansion.words.map(text => ({ text, place: placeIn(placed, word.span) }))
    }),
    state.portCount,
  )
  state.portCount += ports.length
  for (const port of ports) state.config.exposedPorts.add(port)
  recordMetadata(state, `EXPOSE ${goList(ports)}`)
}

function applyVolume(state: StageState, placed: PlacedInstruction, { words }: WordsInstruction): void {
  const volumes = words.map(word => {
    const volume = expandInStage(state, word, placed)
    if (volume !== '') return volume
    throw new UserError('a VOLUME cannot be empty', {
      hint: `${word.text} expands to nothing; write VOLUME /data`,
      at: placeIn(placed, word.span),
    })
  })
  for (const volume of volumes) state.config.volumes.add(volume)
  recordMetadata(state, `VOLUME ${goList(volumes)}`)
}

export function applyHealthcheck(state: StageState, { check }: HealthcheckInstruction): void {
  const { interval = 0, timeout = 0, startPeriod = 0, startInterval = 0, retries = 0 } = check ?? {}
  const test = check ? testOf(check.command) : ['NONE']
  const health: HealthCheck = {
    Test: test,
    ...(interval > 0 && { Interval: interval }),
    ...(timeout > 0 && { Timeout: timeout }),
    ...(startPeriod > 0 && { StartPeriod: startPeriod }),
    ...(startInterval > 0 && { StartInterval: startInterval }),
    ...(retries > 0 && { Retries: retries }),
  }
  state.config.healthcheck = health
  const times = [
    ['Interval', interval],
    ['Timeout', timeout],
    ['StartPeriod', startPeriod],
    ['StartInterval', startInterval],
  ] as const
  const shown = times.map(([name, value]) => `${name}:${formatDuration(value)}`).join(' ')
  recordMetadata(state, `HEALTHCHECK {Test:${goList(test)} ${shown} Retries:${retries}}`)
}

function testOf(command: Command): readonly string[] {
  return command.form === 'exec' ? ['CMD', ...command.args.map(({ text }) => text)] : ['CMD-SHELL', command.text.text]
}
