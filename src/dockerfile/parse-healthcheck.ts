import { type MappedText, sliceText, spanOf, trimText } from './mapped-text.ts'
import { parseDuration } from './duration.ts'
import { splitKeyword } from './keyword.ts'
import { type Draft, missingArgument, parseCommand } from './draft.ts'
import { syntaxError } from './syntax-error.ts'
import type { HealthcheckInstruction } from './syntax-tree.ts'

/** `HEALTHCHECK NONE` or `HEALTHCHECK [flags] CMD command`. */
export function parseHealthcheck(draft: Draft): HealthcheckInstruction {
  const hint = 'write HEALTHCHECK CMD command or HEALTHCHECK NONE'
  if (draft.argument.text === '') throw missingArgument(draft, 'HEALTHCHECK needs an argument', hint)
  const { keyword, rest } = splitKeyword(draft.argument)
  const type = keyword.text.toUpperCase()
  if (type === 'NONE') return none(draft, rest)
  if (type !== 'CMD') {
    throw syntaxError(draft.source, spanOf(keyword), {
      message: `unknown type ${JSON.stringify(keyword.text)} in HEALTHCHECK`,
      hint,
    })
  }
  const command = parseCommand(draft, trimText(rest))
  if (command.form === 'exec' ? command.args.length === 0 : command.text.text === '') {
    throw syntaxError(draft.source, spanOf(keyword), { message: 'missing command after HEALTHCHECK CMD', hint })
  }
  return { ...draft.base, kind: 'healthcheck', check: { command, ...times(draft) } }
}

function none(draft: Draft, rest: MappedText): HealthcheckInstruction {
  const flag = draft.base.flags[0]
  const extra = rest.text === '' ? flag?.span : spanOf(rest)
  if (extra) {
    throw syntaxError(draft.source, extra, {
      message: 'HEALTHCHECK NONE takes no arguments and no flags',
      hint: 'write HEALTHCHECK NONE',
    })
  }
  return { ...draft.base, kind: 'healthcheck' }
}

type Times = Omit<NonNullable<HealthcheckInstruction['check']>, 'command'>

function times(draft: Draft): Times {
  const interval = duration(draft, 'interval')
  const timeout = duration(draft, 'timeout')
  const startPeriod = duration(draft, 'start-period')
  const startInterval = duration(draft, 'start-interval')
  const retries = draft.flags.text('retries')
  if (retries && !/^\+?\d{1,10}$/.test(retries.text)) throw notANumber(draft, retries)
  if (retries && Number(retries.text) > 2 ** 31 - 1) throw notANumber(draft, retries)
  return {
    ...(interval !== undefined && { interval }),
    ...(timeout !== undefined && { timeout }),
    ...(startPeriod !== undefined && { startPeriod }),
    ...(startInterval !== undefined && { startInterval }),
    ...(retries && { retries: Number(retries.text) }),
  }
}

function notANumber(draft: Draft, value: MappedText): Error {
  return syntaxError(draft.source, spanOf(value), {
    message: `--retries must be a whole number from 0 on, not ${JSON.stringify(value.text)}`,
    hint: 'write --retries=3',
  })
}

function duration(draft: Draft, name: string): number | undefined {
  const value = draft.flags.text(name)
  if (!value) return undefined
  const nanoseconds = parseDuration(value.text)
  if (nanoseconds === undefined) {
    throw syntaxError(draft.source, spanOf(sliceText(value, 0)), {
      message: `--${name} needs a duration, not ${JSON.stringify(value.text)}`,
      hint: 'a duration is a number with a unit, such as 30s, 1m30s or 500ms',
    })
  }
  if (nanoseconds !== 0 && nanoseconds < 1_000_000) {
    throw syntaxError(draft.source, spanOf(value), {
      message: `--${name} cannot be less than 1ms`,
      hint: 'write 0 for the default, else at least 1ms',
    })
  }
  return nanoseconds
}
