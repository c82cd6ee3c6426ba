import { describe, expect, test } from 'vitest'
import type { Warning } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import { planBuild } from './plan-build.ts'
import { isSecretValue } from './secret-values.ts'

async function planned(text: string, buildArgs: Readonly<Record<string, string>> = {}) {
  const tree = parseDockerfile({ name: 'Dockerfile', text })
  const warnings: Warning[] = []
  const plan = await planBuild({
    tree,
    buildArgs,
    resolveImage: () => Promise.reject(new Error('not asked for')),
    warn: warning => warnings.push(warning),
  })
  const stage = plan.stages[plan.target]
  const words = warnings.map(({ at }) => at && text.slice(at.span.start, at.span.end))
  return { history: stage?.history.map(({ createdBy }) => createdBy), stage, warnings, words }
}

describe('8.11 secrets and the history', () => {
  test('a value whose name says that it is a secret is masked, and the command still gets it', async () => {
    const { history, stage, warnings, words } = await planned(
      'FROM scratch\nARG A=1 DB_PASSWORD\nRUN true\nCOPY x /x',
      { DB_PASSWORD: 'hunter2' },
    )
    expect(history?.slice(0, 2)).toEqual([
      'ARG A=1 DB_PASSWORD=****',
      'RUN |2 A=1 DB_PASSWORD=**** /bin/sh -c true # buildkit',
    ])
    expect(JSON.stringify(history)).not.toContain('hunter2')
    expect(stage?.steps[0]).toMatchObject({ env: expect.arrayContaining(['DB_PASSWORD=hunter2']) })
    expect(words).toEqual(['DB_PASSWORD'])
    expect(warnings[0]).toMatchObject({
      code: 'SecretsUsedInArgOrEnv',
      hint: expect.stringContaining('RUN --mount=type=secret,id=DB_PASSWORD'),
    })
  })

  test('so is one that looks like a token whatever its name, from a global ARG, and in a child', async () => {
    const token = `glpat-${'x'.repeat(20)}`
    const { history, words } = await planned('ARG WHERE\nFROM scratch AS a\nARG WHERE\nFROM a\nARG SECRET=\nRUN true', {
      WHERE: token,
    })
    expect(history).toEqual(['ARG SECRET=', 'RUN |2 WHERE=**** SECRET= /bin/sh -c true # buildkit'])
    expect(words).toEqual(['WHERE'])
  })

  test('without a value there is nothing to hide', async () => {
    const { history, warnings } = await planned('FROM scratch\nARG TOKEN PASSWORD_FILE=/x\nRUN true')
    expect(history).toEqual(['ARG TOKEN PASSWORD_FILE=/x', 'RUN |2 TOKEN= PASSWORD_FILE=/x /bin/sh -c true # buildkit'])
    expect(warnings).toEqual([])
  })

  // Put together here, so that nobody takes them for real ones.
  test.each([
    `AKIA${'A1'.repeat(8)}`,
    `ghp_${'a1'.repeat(18)}`,
    `github_pat_${'a1'.repeat(11)}`,
    `npm_${'a1'.repeat(18)}`,
    `xoxb-${'1'.repeat(12)}`,
    `sk_live_${'a1'.repeat(8)}`,
    `AIza${'a'.repeat(35)}`,
    ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0In0', 'x'].join('.'),
    `-----BEGIN ${'OPENSSH PRIVATE'} KEY-----`,
    `https://user:${'pass'}@example.test/x.git`,
  ])('a token: %s', value => {
    expect(isSecretValue('X', value)).toBe(true)
    expect(isSecretValue('X', `before ${value} after`)).toBe(true)
  })

  test.each([
    'https://example.test/a:b@c',
    'https://user@example.test/',
    'https://example.test:8080/x',
    'git@example.test:user/x.git',
    'task-list-of-things-that-have-to-be-done-by-someone',
    'a1b2c3d4'.repeat(5),
    '1.2.3',
    '',
  ])('no token: %j', value => {
    expect(isSecretValue('X', value)).toBe(false)
  })
})
