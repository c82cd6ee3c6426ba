import { expect, test } from 'vitest'
import type { Source, Warning } from '#diagnostics'
import { hideSecrets, withHiddenSecrets } from './hide-secrets.ts'

const token = `gh${'p_'}${'aB3dE5gH7jK9mN1pQ2rS'}${'4tU6vW8xY0zA2cD4'}`

/** [lines of a Dockerfile, what must be gone, what must still be there] */
const cases: readonly (readonly [text: string, gone: readonly string[], kept: readonly string[]])[] = [
  ['FROM scratch\nENV DB_PASSWORD=hunter PORT=80\n', ['hunter'], ['ENV DB_PASSWORD=', ' PORT=80']],
  ['ARG API_TOKEN=letmein\nFROM scratch\n', ['letmein'], ['ARG API_TOKEN=']],
  ['FROM scratch\nENV SECRET old form\n', ['old', 'form'], ['ENV SECRET ']],
  [`FROM scratch\nRUN curl -H "x: ${token}" a\n`, [token], ['RUN curl -H "x: ', '" a']],
  [`FROM scratch\nRUNN é 😀 ${token}; b\n`, [token], ['RUNN é 😀 ', '; b']],
  ['FROM scratch\nARG TOKEN\nENV A=é PASSWORD="two words"\n', ['two', 'words'], ['ARG TOKEN\n', 'A=é PASSWORD=']],
]

test.each(cases)('%j', (text, gone, kept) => {
  const hidden = hideSecrets({ name: 'Dockerfile', text })
  expect(hidden).toHaveLength(text.length)
  for (const each of gone) expect(hidden).not.toContain(each)
  for (const each of kept) expect(hidden).toContain(each)
})

test('warnings keep their places; those without one stay as they are', () => {
  const source: Source = { name: 'Dockerfile', text: 'FROM scratch\nENV API_KEY=opensesame\n' }
  const at: Warning = {
    code: 'SecretsUsedInArgOrEnv',
    message: 'm',
    hint: 'h',
    at: { source, span: { start: 17, end: 24 } },
  }
  const other: Warning = { code: 'Other', message: `https://${token}@a.corp.net is old`, hint: 'h' }
  const [first, second] = withHiddenSecrets([at, other])
  expect(first?.at?.span).toEqual({ start: 17, end: 24 })
  expect(first?.at?.source.text).toBe('FROM scratch\nENV API_KEY=**********\n')
  expect(second).toEqual({ ...other, message: `https://${'*'.repeat(token.length)}@a.corp.net is old` })
})
