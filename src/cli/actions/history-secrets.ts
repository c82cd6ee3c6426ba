import { isSecretName } from '#dockerfile'
import type { Warning } from '#diagnostics'
import type { HistoryRow } from './history-rows.ts'

/**
 * What a history says about secrets: a warning for each name of an argument or a variable that says so by itself. Builders write
 * arguments as `ARG NAME=value` and before commands as `|COUNT NAME=value …`; where the value is masked, it was still given to
 * commands, which may have written it into a layer.
 */
export function secretWarnings(rows: readonly Pick<HistoryRow, 'createdBy'>[], image: string): readonly Warning[] {
  const values = new Map<string, boolean>()
  for (const { createdBy } of rows) {
    for (const { name, value } of assignments(createdBy)) {
      if (isSecretName(name)) values.set(name, (values.get(name) ?? false) || !/^\*+$/.test(value))
    }
  }
  return [...values].map(([name, shown]) => ({
    code: 'SecretsUsedInArgOrEnv',
    message: shown
      ? `the history shows the value of ${name}: whoever has the image can read it`
      : `${name} was an argument of this build: its value is not in the history, but commands may have kept it in a layer`,
    hint: `use RUN --mount=type=secret instead; do not publish this image, and replace the secret (slipway history --no-trunc ${image})`,
  }))
}

function assignments(createdBy: string): readonly { readonly name: string; readonly value: string }[] {
  const declared = /(?:^|#\(nop\)\s+)(?:ARG|ENV) (.*)/s.exec(createdBy)?.[1]
  const given = /(?:^|\s)\|\d+ (.*)/s.exec(createdBy)?.[1]
  const text = declared ?? given?.split(' /bin/sh -c ')[0] ?? ''
  return [...text.matchAll(/(?:^| )([A-Za-z_]\w*)=("[^"]*"|\S+)/g)].map(([, name = '', value = '']) => ({
    name,
    value,
  }))
}
