import type { ImageConfig } from '#oci'
import { scanBytes, type SecretHit } from '#secrets'
import type { SecretFinding, SecretPlace } from './finding.ts'

/** What the configuration of an image gives away: history, environment, labels, commands. */
export function scanConfig({ config, history, author }: ImageConfig): readonly SecretFinding[] {
  const { Env, Labels, Cmd, Entrypoint, Healthcheck, OnBuild, Shell, User } = config
  return [
    ...texts(Env).flatMap(pair => {
      const name = pair.split('=', 1)[0] ?? ''
      return inText(asSetting(pair), { kind: 'env', name })
    }),
    ...Object.entries(Labels ?? {}).flatMap(([name, value]) =>
      inText(asSetting(`${name}=${value}`), { kind: 'label', name }),
    ),
    ...Object.entries({ Cmd, Entrypoint, Healthcheck: Healthcheck?.Test, OnBuild, Shell, User: [User ?? ''] }).flatMap(
      ([field, words]) => inText(texts(words).join(' '), { kind: 'config', field }),
    ),
    ...history.flatMap(({ created_by, comment }, entry) =>
      inText([created_by ?? '', comment ?? ''].join('\n'), { kind: 'history', entry }),
    ),
    ...inText(author ?? '', { kind: 'config', field: 'author' }),
  ]
}

/** A configuration from outside may hold anything. */
function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

/** The whole value counts, blanks included. */
function asSetting(pair: string): string {
  const equals = pair.indexOf('=')
  return /\s/.test(pair) ? `${pair.slice(0, equals)}="${pair.slice(equals + 1)}"` : pair
}

/** A text as if it stood in a Dockerfile: the rules for settings apply. */
export function inText(text: string, place: SecretPlace): readonly SecretFinding[] {
  return scanBytes({ bytes: Buffer.from(text), path: 'Dockerfile' }).map(
    ({ rule, title, severity, masked, fingerprint }: SecretHit) => ({
      rule,
      title,
      severity,
      masked,
      fingerprint,
      place,
    }),
  )
}
