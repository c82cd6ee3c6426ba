import { nearest } from '#diagnostics'
import { usageError } from '../usage-error.ts'
import { csvFields } from './csv.ts'

/** `--call`: look at the file instead of building it. */
export interface CallOption {
  readonly method: 'check' | 'outline' | 'targets'
  readonly format: 'text' | 'json'
}

const methods = ['check', 'outline', 'targets'] as const
const keys = ['format=text', 'format=json']

/** `METHOD[,format=text|json]`. Throws a `UserError` (wrong usage). */
export function parseCall(text: string): CallOption {
  const [name = '', ...settings] = csvFields(text, '--call')
  const method = methods.find(each => each === name)
  if (!method) {
    const near = nearest(name, methods)
    throw usageError(
      `invalid method ${JSON.stringify(name)} for --call`,
      near === undefined ? `the methods are ${methods.join(', ')}` : `did you mean ${near}?`,
    )
  }
  const wrong = settings.find(setting => !keys.includes(setting))
  if (wrong !== undefined) {
    throw usageError(`invalid setting ${JSON.stringify(wrong)} for --call`, `write --call ${method},format=json`)
  }
  return { method, format: settings.at(-1) === 'format=json' ? 'json' : 'text' }
}

/** What `--call` and `--check` ask for together. Throws a `UserError` (wrong usage) where they contradict each other. */
export function callOf({
  call,
  check,
  printPlan,
}: {
  readonly call?: CallOption
  readonly check?: boolean
  readonly printPlan?: boolean
}): CallOption | undefined {
  if (check && call && call.method !== 'check') {
    throw usageError(`--check is --call check, not --call ${call.method}`, 'leave one of them out')
  }
  const wanted = call ?? (check ? { method: 'check', format: 'text' } : undefined)
  if (wanted && printPlan) throw usageError(`--print-plan does not go with --call`, 'leave one of them out')
  return wanted
}
