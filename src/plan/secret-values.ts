import { isSecretName } from '#dockerfile'
import type { PlacedInstruction } from './discover.ts'
import { placeIn, type StageState } from './stage-state.ts'

/** What stands in the history instead of a secret. */
export const mask = '****'

/** The forms of tokens and keys that say by themselves what they are. */
const tokenForms: readonly RegExp[] = [
  // Amazon access keys.
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/,
  // GitHub, GitLab, Docker Hub, npm, PyPI.
  /\bgh[oprsu]_[A-Za-z0-9]{36}/,
  /\bgithub_pat_[A-Za-z0-9_]{22}/,
  /\bglpat-[A-Za-z0-9_-]{20}/,
  /\bdckr_(pat|oat)_[A-Za-z0-9_-]{20}/,
  /\bnpm_[A-Za-z0-9]{36}/,
  /\bpypi-[A-Za-z0-9_-]{50}/,
  // Slack, Google, Stripe; keys of language model services.
  /\bxox[abeprs]-[A-Za-z0-9-]{10}/,
  /\bAIza[A-Za-z0-9_-]{35}/,
  /\b[rs]k_live_[A-Za-z0-9]{16}/,
  /\bsk-[A-Za-z0-9_-]{32}/,
  // JSON web tokens, private keys, passwords in addresses.
  /\beyJ[A-Za-z0-9_-]{8,512}\.eyJ[A-Za-z0-9_-]{8}/,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/,
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^/\s:@]{0,256}:[^/\s:@]{1,256}@/i,
]

/** Whether the value of an argument must not be readable in an image's history. */
export function isSecretValue(name: string, value: string): boolean {
  return value !== '' && (isSecretName(name) || tokenForms.some(form => form.test(value)))
}

/** A value as the history shows it. */
export function shownValue(name: string, value: string): string {
  return isSecretValue(name, value) ? mask : value
}

/** Warns that an argument's value is kept out of the history, at its name. */
export function warnAboutSecret(
  state: StageState,
  placed: PlacedInstruction,
  { name, span }: { readonly name: string; readonly span: { readonly start: number; readonly end: number } },
): void {
  state.warn({
    code: 'SecretsUsedInArgOrEnv',
    message: `the value of ARG ${name} looks like a secret: it is left out of the image's history, but commands can keep it`,
    hint: `use RUN --mount=type=secret,id=${name},env=${name} and build with --secret id=${name},env=${name}`,
    at: placeIn(placed, span),
  })
}
