import { UserError } from '#diagnostics'
import type { ArgInstruction } from '#dockerfile'
import type { PlacedInstruction } from './discover.ts'
import { assign } from './scope.ts'
import { isSecretValue, shownValue, warnAboutSecret } from './secret-values.ts'
import { expandInStage, placeIn, recordMetadata, type StageState } from './stage-state.ts'

/**
 * ARG in a stage: the value given with --build-arg, else the default, else the global value; without any of them the
 * name is declared but unset. Every word sees the values before the instruction (section 6.7 of the language page). What looks like a secret is not shown in the history.
 */
export function applyArg(state: StageState, placed: PlacedInstruction, instruction: ArgInstruction): void {
  const expanded = instruction.args.map(({ name: word, value: given, span }) => {
    const name = expandInStage(state, word, placed)
    if (name === '') {
      throw new UserError(`ARG names cannot be blank: ${word.text} expands to nothing`, {
        hint: 'write ARG NAME=default',
        at: placeIn(placed, span),
      })
    }
    const value =
      state.buildArgs.get(name) ?? (given ? expandInStage(state, given, placed) : state.globals.values.get(name))
    return { name, value, span: word.span }
  })
  const shown = expanded.map(({ name, value, span }) => {
    // Declared again without a value, an argument keeps the one it has.
    if (value !== undefined || !state.args.has(name)) state.args.set(name, value)
    if (value !== undefined) assign(state.scope, name, value)
    if (value === undefined) return name
    if (isSecretValue(name, value)) warnAboutSecret(state, placed, { name, span })
    return `${name}=${shownValue(name, value)}`
  })
  recordMetadata(state, `ARG ${shown.join(' ')}`)
}
