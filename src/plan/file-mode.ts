import { type Place, UserError } from '#diagnostics'
import type { ModeChange } from './build-plan.ts'

/** `--chmod`: octal up to 7777, or symbolic clauses as chmod(1) takes them. Throws a `UserError`. */
export function parseModeChange(text: string, place: Place): ModeChange {
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777)
    return { kind: 'octal', mode: Number.parseInt(text, 8) }
  if (/^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+(?:,[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+)*$/.test(text)) {
    return { kind: 'symbolic', text }
  }
  throw new UserError(`invalid --chmod=${text}`, {
    hint: 'write an octal mode from 0 to 7777, or clauses such as u=rwX,go=rX or +x',
    at: place,
  })
}
