import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import type { BuildPlan } from './build-plan.ts'
import { planBuild } from './plan-build.ts'
import type { PlanOptions } from './plan-options.ts'

async function plan(text: string, options: Partial<PlanOptions> = {}): Promise<BuildPlan> {
  return planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    platform: { os: 'linux', architecture: 'amd64' },
    resolveImage: () => {
      throw new Error('no image is asked for')
    },
    ...options,
  })
}

/** The message and the words it points at. */
async function failure(text: string, options?: Partial<PlanOptions>): Promise<readonly [string, string | undefined]> {
  const error = await plan(text, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof UserError)) throw new Error('not a UserError', { cause: error })
  return [error.message, error.at?.source.text.slice(error.at.span.start, error.at.span.end)]
}

describe('what the command line says about RUN', () => {
  test('8.9 arguments for the builder: the host name of RUN, and what has nothing to act on', async () => {
    const text = 'FROM scratch\nRUN true'
    const named = await plan(text, { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'builder-1.local' } })
    expect(named.stages[0]?.steps).toMatchObject([{ kind: 'run', hostname: 'builder-1.local' }])
    const wrong = { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'a b' } }
    expect((await failure(text, wrong))[0]).toBe('BUILDKIT_SANDBOX_HOSTNAME is "a b", which is no host name')
    const warned: string[] = []
    for (const value of ['true', '0']) {
      const buildArgs = { BUILDKIT_MULTI_PLATFORM: value }
      await plan(text, { buildArgs, warn: ({ message }) => warned.push(message) })
    }
    expect(warned).toEqual(['--build-arg BUILDKIT_MULTI_PLATFORM has no effect'])
  })

  test.each([
    ['--network=host', 'host', 'network.host', 'security.insecure'],
    ['--security=insecure', 'insecure', 'security.insecure', 'network.host'],
  ] as const)('11.8 %s needs an entitlement', async (flag, word, entitlement, other) => {
    const text = `FROM scratch\nRUN ${flag} x`
    expect(await failure(text)).toEqual([`RUN ${flag} is not allowed`, word])
    expect(await failure(text, { allow: new Set([other]) })).toEqual([`RUN ${flag} is not allowed`, word])
    const allowed = await plan(text, { allow: new Set([entitlement]) })
    expect(Object.values(allowed.stages[0]?.steps[0] ?? {})).toContain(word)
  })

  test('11.8 the network of the build is that of every RUN that names none', async () => {
    const { stages } = await plan('FROM scratch\nRUN a\nRUN --network=default b\nRUN --network=host c', {
      network: 'none',
      allow: new Set(['network.host']),
    })
    expect(stages[0]?.steps.map(step => step.kind === 'run' && step.network)).toEqual(['none', 'none', 'host'])
  })
})

describe('15.4 SOURCE_DATE_EPOCH', () => {
  test.each([
    ['a build argument', 'FROM scratch', { SOURCE_DATE_EPOCH: '1600000000' }, 1_600_000_000],
    ['the default of a global ARG', 'ARG SOURCE_DATE_EPOCH=5\nFROM scratch', {}, 5],
    ['the argument before the default', 'ARG SOURCE_DATE_EPOCH=5\nFROM scratch', { SOURCE_DATE_EPOCH: '0' }, 0],
    ['an ARG of a stage is not asked', 'FROM scratch\nARG SOURCE_DATE_EPOCH=5', {}, undefined],
    ['empty is not set', 'FROM scratch', { SOURCE_DATE_EPOCH: '' }, undefined],
  ] as const)('%s', async (_, text, buildArgs, epoch) => {
    expect((await plan(text, { buildArgs })).epoch).toBe(epoch)
  })

  test.each(['yesterday', '-1', '1.5', '1e9', '253402300800', 'context'])('%s is an error', async value => {
    const message = `SOURCE_DATE_EPOCH is "${value}", not a number of seconds since 1970`
    expect(await failure(`ARG SOURCE_DATE_EPOCH=${value}\nFROM scratch`)).toEqual([
      message,
      `SOURCE_DATE_EPOCH=${value}`,
    ])
    const given = { buildArgs: { SOURCE_DATE_EPOCH: value } }
    expect(await failure('ARG SOURCE_DATE_EPOCH=1\nFROM scratch', given)).toEqual([message, undefined])
  })
})
