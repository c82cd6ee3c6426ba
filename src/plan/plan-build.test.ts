import { describe, expect, test } from 'vitest'
import { UserError, type Warning } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import type { ContainerConfig, Platform } from '#oci'
import type { BuildPlan, CopyStep, ResolvedImage, RunStep, StagePlan } from './build-plan.ts'
import { planBuild } from './plan-build.ts'
import { planToJson } from './plan-json.ts'
import type { PlanOptions } from './plan-options.ts'

const amd64: Platform = { os: 'linux', architecture: 'amd64' }
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

interface Planned {
  readonly plan: BuildPlan
  readonly stage: StagePlan
  readonly warnings: readonly Warning[]
  /** `reference platform` of every image that was asked for. */
  readonly asked: readonly string[]
}

async function planned(
  text: string,
  options: Partial<Omit<PlanOptions, 'tree'>> & { readonly image?: ContainerConfig } = {},
): Promise<Planned> {
  const warnings: Warning[] = []
  const asked: string[] = []
  const { image = { Env: ['PATH=/bin'] }, ...rest } = options
  const plan = await planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    platform: amd64,
    buildPlatform: amd64,
    warn: warning => warnings.push(warning),
    resolveImage: async (reference, { os, architecture }) => {
      asked.push(`${reference} ${os}/${architecture}`)
      if (reference.includes('missing')) throw new UserError(`no image ${reference}`, { hint: 'none' })
      return resolved(reference, image)
    },
    ...rest,
  })
  const stage = plan.stages[plan.target]
  if (!stage) throw new Error('no target')
  return { plan, stage, warnings, asked }
}

function resolved(reference: string, config: ContainerConfig): ResolvedImage {
  return {
    reference,
    id: `sha256:${'0'.repeat(64)}`,
    config: { ...amd64, author: 'base', config, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
  }
}

const lines = async (text: string, options?: Parameters<typeof planned>[1]): Promise<readonly string[]> =>
  (await planned(text, options)).stage.history.map(({ createdBy }) => createdBy)

const config = async (text: string, options?: Parameters<typeof planned>[1]): Promise<ContainerConfig> =>
  (await planned(text, options)).stage.config

const run = async (text: string, options?: Parameters<typeof planned>[1]): Promise<RunStep> => {
  const step = (await planned(text, options)).stage.steps.findLast(({ kind }) => kind === 'run')
  return step as RunStep
}

const copy = async (text: string, options?: Parameters<typeof planned>[1]): Promise<CopyStep> =>
  (await planned(text, options)).stage.steps.findLast(({ kind }) => kind === 'copy') as CopyStep

/** Message and words under the caret. */
async function failure(
  text: string,
  options?: Parameters<typeof planned>[1],
): Promise<readonly [string, string | undefined]> {
  try {
    await planned(text, options)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return [error.message, error.at?.source.text.slice(error.at.span.start, error.at.span.end)]
  }
  throw new Error(`planned: ${text}`)
}

describe('6.9 where words are expanded', () => {
  const start = 'FROM scratch\nENV V=v\n'

  test('6.9 ADD, COPY, ENV, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR, EXPOSE, ARG', async () => {
    const { stage } = await planned(
      `${start}LABEL l$V=x$V\nARG a$V=$V-1\nENV STOP=SIGINT\nSTOPSIGNAL $STOP\nUSER u$V\nVOLUME /$V\nWORKDIR /w$V\n` +
        `ENV PORTS="80 81/udp"\nEXPOSE $PORTS\nCOPY --chown=$V:$V --chmod=0\${X:-755} s$V d$V\n`,
    )
    expect(stage.config).toMatchObject({
      Labels: { lv: 'xv' },
      StopSignal: 'SIGINT',
      User: 'uv',
      Volumes: { '/v': {} },
      WorkingDir: '/wv',
      ExposedPorts: { '80/tcp': {}, '81/udp': {} },
    })
    expect(stage.args).toEqual([['av', 'v-1']])
    expect(stage.steps.at(-1)).toMatchObject({
      chown: 'v:v',
      chmod: { kind: 'octal', mode: 0o755 },
      sources: [{ path: 'sv' }],
      destination: { path: '/wv/dv', directory: false },
    })
  })

  test('6.9 not RUN, CMD, ENTRYPOINT, HEALTHCHECK, SHELL, --exclude', async () => {
    const { stage } = await planned(
      `${start}SHELL ["$V"]\nRUN $V\nCMD $V\nENTRYPOINT ["$V"]\nHEALTHCHECK CMD $V\nCOPY --exclude=$V a /b`,
    )
    expect(stage.config).toMatchObject({
      Shell: ['$V'],
      Entrypoint: ['$V'],
      Healthcheck: { Test: ['CMD-SHELL', '$V'] },
    })
    expect(stage.steps).toMatchObject([{ argv: ['$V', '$V'] }, { exclude: ['$V'] }])
  })

  test('6.7 the whole instruction sees the values before it', async () => {
    expect((await config('FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc')).Env).toEqual([
      path,
      'abc=bye',
      'def=hello',
      'ghi=bye',
    ])
  })

  test('6.8 UndefinedVar with the nearest name; unset ARGs do not warn', async () => {
    const { warnings, stage } = await planned('FROM scratch\nARG VERSION UNSET\nLABEL a=$VERSOIN1 b=$UNSET c=${X:-1}')
    expect(stage.config.Labels).toEqual({ a: '', b: '', c: '1' })
    expect(warnings).toMatchObject([{ code: 'UndefinedVar', message: 'use of undefined variable $VERSOIN1' }])
    const { warnings: near } = await planned('FROM scratch\nARG VERSION=1\nLABEL a=$VERSIO')
    expect(near).toMatchObject([{ hint: 'did you mean $VERSION?' }])
  })
})

describe('7 FROM, stages, targets', () => {
  test('7.3 a reference to a stage is taken as written, --from and --target in any case', async () => {
    const text = 'FROM scratch AS Base\nFROM base AS Two\nCOPY --from=BASE a /\n'
    const { plan } = await planned(text, { target: 'TWO' })
    expect(plan.stages).toMatchObject([
      { name: 'base' },
      { name: 'two', base: { kind: 'stage', stage: 0 }, steps: [{ from: { kind: 'stage', stage: 0 } }] },
    ])
    expect(await failure('FROM scratch AS base\nFROM Base')).toEqual([
      'invalid image reference "Base": a repository name must be lower case',
      'Base',
    ])
  })

  test('7.4 numbers mean stages in COPY --from only', async () => {
    const { plan, asked } = await planned('FROM scratch\nFROM scratch\nCOPY --from=0 a /\nFROM 1\nCOPY --from=1 a /')
    expect(asked).toEqual(['docker.io/library/1:latest linux/amd64'])
    expect(plan.stages.map(({ position, index }) => [position, index])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
    expect(await failure('FROM scratch\nCOPY --from=1 a /')).toEqual(['invalid stage index 1', '1'])
    expect(await failure('FROM scratch', { target: '0' })).toEqual(['target stage "0" not found', undefined])
    const mount = await run('FROM scratch\nFROM x\nRUN --mount=from=0,target=/a y')
    expect(mount.mounts).toMatchObject([
      { from: { kind: 'image', image: { reference: 'docker.io/library/0:latest' } } },
    ])
  })

  test('7.5 the latest stage of a name counts', async () => {
    const { plan } = await planned('FROM scratch AS a\nFROM scratch AS a\nENV x=2\nFROM a\nCOPY --from=a x /')
    expect(plan.stages.map(({ position }) => position)).toEqual([1, 2])
  })

  const last = 'FROM scratch AS last'
  test.each([
    [
      `FROM scratch AS t\nCOPY --from=last a /\n${last}`,
      'stage last needs to be defined before the current stage',
      'last',
    ],
    [`FROM scratch AS t\nCOPY --from=1 a /\n${last}`, 'stage last needs to be defined before the current stage', '1'],
    ['FROM scratch AS t\nCOPY --from=T a /', 'circular dependency: stage t takes files from itself', 'T'],
    ['FROM scratch AS t\nCOPY --from=0 a /', 'circular dependency: stage t takes files from itself', '0'],
    ['FROM scratch AS t\nRUN --mount=from=t,target=/x y', 'circular dependency: stage t takes files from itself', 't'],
  ])('7.6 %j', async (text, message, words) => {
    expect(await failure(text, { target: 't' })).toEqual([message, words])
  })

  test('7.6 a typo in a stage name says so', async () => {
    try {
      await planned('FROM scratch AS missing1\nFROM scratch\nCOPY --from=missing2 a /')
      throw new Error('planned')
    } catch (error) {
      expect(error).toMatchObject({ hint: 'did you mean the stage missing1? Otherwise the image must exist' })
    }
  })

  test('7.7, 7.14 scratch starts with / and a PATH; an image without PATH gets one', async () => {
    expect(await config('FROM scratch')).toEqual({ Env: [path], WorkingDir: '/' })
    expect(await config('FROM x', { image: { Env: ['A=1'] } })).toEqual({ Env: ['A=1', path] })
    expect(await config('FROM x', { image: { Env: ['PATH=/x'] } })).toEqual({ Env: ['PATH=/x'] })
    expect(await config('FROM --platform=windows/amd64 x', { image: {} })).toEqual({})
  })

  test('7.7 a stage called scratch hides the empty image', async () => {
    const { plan } = await planned('FROM x AS scratch\nFROM scratch')
    expect(plan.stages[1]?.base).toEqual({ kind: 'stage', stage: 0 })
  })

  test('7.8 references are normalised; a blank one is an error', async () => {
    expect((await planned('ARG T=12\nFROM debian:$T')).asked).toEqual(['docker.io/library/debian:12 linux/amd64'])
    const { warnings } = await planned('ARG T=12\nFROM debian$X:$T')
    expect(warnings).toMatchObject([{ code: 'UndefinedArgInFrom', message: 'FROM argument $X is not declared' }])
    expect(await failure('ARG T\nFROM $T')).toEqual(['base name ($T) should not be blank', '$T'])
  })

  test('7.9 --platform; child stages inherit it', async () => {
    const { plan, asked } = await planned('ARG P=arm\nFROM --platform=linux/${P}64 x AS a\nFROM a\nCOPY --from=y a /\n')
    expect(asked.toSorted()).toEqual([
      'docker.io/library/x:latest linux/arm64',
      'docker.io/library/y:latest linux/arm64',
    ])
    expect(plan.stages.map(({ platform }) => platform.architecture)).toEqual(['arm64', 'arm64'])
    expect(await failure('ARG P\nFROM --platform=$P x')).toEqual(['empty platform value from expression $P', '$P'])
    expect((await failure('FROM --platform=a/b/c/d x'))[1]).toBe('a/b/c/d')
  })

  test('7.10 only reachable stages, and only their images', async () => {
    const { plan, asked } = await planned(
      'FROM unused AS unused\nRUN x\nFROM one AS one\nFROM two AS two\nFROM three AS three\nFROM one\n' +
        'COPY --from=two a /\nRUN --mount=from=three,target=/x y',
    )
    expect(plan.stages.map(({ name }) => name)).toEqual(['one', 'two', 'three', 'stage-4'])
    expect(asked).toHaveLength(3)
    expect(plan.target).toBe(3)
  })

  test('7.11 an unknown target', async () => {
    await expect(planned('FROM scratch AS builder', { target: 'biulder1' })).rejects.toThrow(
      'target stage "biulder1" not found',
    )
    await expect(planned('FROM scratch AS builder', { target: 'buildr' })).rejects.toMatchObject({
      hint: 'did you mean builder?',
    })
  })

  test('7.13 an image for another platform is a warning', async () => {
    const { warnings, stage } = await planned('FROM --platform=linux/s390x x')
    expect(warnings).toMatchObject([{ code: 'InvalidBaseImagePlatform' }])
    expect(stage.platform).toEqual({ os: 'linux', architecture: 's390x' })
  })

  test('7.15 what a stage inherits', async () => {
    const image: ContainerConfig = {
      Env: ['PATH=/bin', 'E=1'],
      Cmd: ['c'],
      Labels: { b: '1' },
      User: 'u',
      WorkingDir: '/w',
      Shell: ['/sh', '-c'],
      StopSignal: 'INT',
      OnBuild: ['ENV T=1'],
      Volumes: { '/v': {} },
      Healthcheck: { Test: ['NONE'] },
    }
    const { stage } = await planned('FROM x AS a\nARG X=1\nFROM a\nRUN y', { image })
    const { OnBuild: _, ...rest } = image
    expect(stage.config).toEqual({ ...rest, Env: ['PATH=/bin', 'E=1', 'T=1'] })
    expect(stage.steps).toMatchObject([
      { argv: ['/sh', '-c', 'y'], user: 'u', workdir: '/w', env: ['X=1', 'PATH=/bin', 'E=1', 'T=1'] },
    ])
    expect(stage.author).toBe('base')
    expect(stage.args).toEqual([['X', '1']])
  })
})

describe('8 ARG and scope', () => {
  test('8.1, 8.2 global ARGs reach FROM and other globals; a stage imports them', async () => {
    const text = 'ARG A=1 B=$A-2\nARG C\nFROM x:$A AS s\nRUN $A\nARG A B=own C\nRUN b'
    const { stage } = await planned(text)
    expect(stage.steps).toMatchObject([{ env: ['PATH=/bin'] }, { env: ['PATH=/bin', 'A=1', 'B=own'] }])
    expect(stage.history.map(({ createdBy }) => createdBy)).toEqual([
      'RUN /bin/sh -c $A # buildkit',
      'ARG A=1 B=own C',
      'RUN |3 A=1 B=own C= /bin/sh -c b # buildkit',
    ])
  })

  test('8.3 --build-arg beats the default, the default the global value', async () => {
    const text = 'ARG A=global\nFROM scratch\nARG A=default\nLABEL a=$A'
    expect((await config(text)).Labels).toEqual({ a: 'default' })
    expect((await config(text, { buildArgs: { A: 'given' } })).Labels).toEqual({ a: 'given' })
    expect((await config('ARG A=global\nFROM scratch\nARG A\nLABEL a=$A')).Labels).toEqual({ a: 'global' })
  })

  test('8.4 scope starts at its line and reaches child stages only', async () => {
    const { plan } = await planned(
      'FROM scratch AS a\nLABEL x=$A\nARG A=1\nFROM a AS b\nLABEL x=$A\nFROM scratch\nLABEL x=$A\nCOPY --from=b a /',
    )
    expect(plan.stages.map(stage => stage.config.Labels?.['x'])).toEqual(['', '1', ''])
  })

  test('8.5 ARG and ENV are one ordered namespace', async () => {
    const text = 'FROM scratch\nENV X=base\nARG X=arg\nLABEL a=$X\nRUN 1\nENV X=again\nLABEL b=$X\nRUN 2'
    const { stage } = await planned(text)
    expect(stage.config).toMatchObject({ Labels: { a: 'arg', b: 'again' }, Env: [path, 'X=again'] })
    expect(stage.steps).toMatchObject([{ env: [path, 'X=arg'] }, { env: [path, 'X=again'] }])
  })

  test('8.5 in a child stage the ENV of the parent counts again', async () => {
    const { stage } = await planned('FROM scratch AS a\nENV X=env\nARG X=arg\nFROM a\nLABEL x=$X')
    expect(stage.config.Labels).toEqual({ x: 'env' })
  })

  test('8.7 proxies reach RUN in both cases without history, unless ARG declares them', async () => {
    const buildArgs = { HTTP_PROXY: 'http://p', no_proxy: 'x' }
    const step = await run('FROM scratch\nRUN y', { buildArgs })
    expect(step.env).toEqual([path])
    expect(step.unkeyedEnv).toEqual(['HTTP_PROXY=http://p', 'http_proxy=http://p', 'NO_PROXY=x', 'no_proxy=x'])
    const declared = await run('FROM scratch\nARG HTTP_PROXY\nRUN y', { buildArgs })
    expect(declared.env).toEqual([path, 'HTTP_PROXY=http://p'])
    expect(declared.unkeyedEnv).toEqual(['http_proxy=http://p', 'NO_PROXY=x', 'no_proxy=x'])
    expect((await planned('FROM scratch', { buildArgs })).warnings).toEqual([])
  })

  test('8.8 platform arguments', async () => {
    const text =
      'FROM --platform=$BUILDPLATFORM x AS s\nLABEL a=$TARGETARCH\nARG TARGETARCH TARGETVARIANT TARGETPLATFORM BUILDARCH TARGETSTAGE\n' +
      'LABEL b=$TARGETARCH,$TARGETVARIANT,$TARGETPLATFORM,$BUILDARCH,$TARGETSTAGE'
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7' }
    expect((await config(text, { platform })).Labels).toEqual({ a: '', b: 'arm,v7,linux/arm/v7,amd64,default' })
    const given = await config(text, { platform, target: 's', buildArgs: { TARGETARCH: 'mine' } })
    expect(given.Labels).toEqual({ a: '', b: 'mine,v7,linux/arm/v7,amd64,s' })
  })

  test('8.9, 8.10 a build argument that nobody declares', async () => {
    const { warnings } = await planned('ARG VERSION=1\nFROM scratch\nONBUILD ARG LATER', {
      buildArgs: {
        VERSIO: '1',
        BUILDKIT_INLINE_CACHE: '1',
        SOURCE_DATE_EPOCH: '0',
        LATER: '',
        VERSION: '2',
        TARGETOS: 'x',
      },
    })
    expect(warnings).toMatchObject([{ code: 'UnusedBuildArg', hint: 'did you mean VERSION?' }])
  })

  test('2.6 another frontend is a warning', async () => {
    for (const ref of ['docker/dockerfile:1', 'docker/dockerfile-upstream:master', 'docker.io/docker/dockerfile']) {
      expect((await planned(`# syntax=${ref}\nFROM scratch`)).warnings).toEqual([])
    }
    expect((await planned('# syntax=other/frontend x\nFROM scratch')).warnings).toMatchObject([
      { code: 'ExternalFrontend', message: 'the frontend other/frontend is not run: the file is read as a Dockerfile' },
    ])
  })
})

describe('9 metadata', () => {
  test('9.1 ENV replaces in place; the old form keeps inner blanks', async () => {
    const text = `FROM scratch\nENV a=1 b=2\nENV c=3\nENV a=9\nENV m  'quoted  v' "x"`
    expect((await config(text)).Env).toEqual([path, 'a=9', 'b=2', 'c=3', 'm=quoted  v x'])
  })

  test('9.2 LABEL: last wins, --label after all, sorted', async () => {
    const labels = await config('FROM scratch\nLABEL z=1 a=2\nLABEL a="x y"', { labels: { z: 'given', m: '' } })
    expect(Object.entries(labels.Labels ?? {})).toEqual([
      ['a', 'x y'],
      ['m', ''],
      ['z', 'given'],
    ])
    const { plan } = await planned('FROM scratch AS a\nFROM scratch\nCOPY --from=a x /', { labels: { l: '1' } })
    expect(plan.stages.map(stage => stage.config.Labels)).toEqual([undefined, { l: '1' }])
  })

  test.each([
    ['80', ['80/tcp']],
    ['80/UDP 79', ['79/tcp', '80/udp']],
    ['100-102/sctp', ['100/sctp', '101/sctp', '102/sctp']],
    ['127.0.0.1:8080:80', ['80/tcp']],
    ['[::1]:8080:80/udp', ['80/udp']],
    ['8000-8001:80', ['80/tcp']],
    ['0 65535', ['0/tcp', '65535/tcp']],
    ['80/', ['80/tcp']],
  ])('9.3 EXPOSE %s', async (text, ports) => {
    expect(Object.keys((await config(`FROM scratch\nEXPOSE ${text}`)).ExposedPorts ?? {})).toEqual(ports.toSorted())
    expect(await lines(`FROM scratch\nEXPOSE ${text}`)).toEqual([`EXPOSE [${ports.join(' ')}]`])
  })

  test.each(['x', '65536', '2-1', '80/http', '300.1.1.1:1:2', '1:', '1-2-3', '1-2:3-5', '-1'])(
    '9.3 EXPOSE %s is an error',
    async text => {
      expect((await failure(`FROM scratch\nEXPOSE ${text}`))[1]).toBe(text)
    },
  )

  test('9.4 CMD and ENTRYPOINT forms', async () => {
    expect(await config('FROM scratch\nCMD echo "q"')).toMatchObject({
      Cmd: ['/bin/sh', '-c', 'echo "q"'],
      ArgsEscaped: true,
    })
    expect(await config('FROM scratch\nCMD')).toMatchObject({ Cmd: ['/bin/sh', '-c', ''] })
    expect(await config('FROM scratch\nCMD []')).toEqual({ Env: [path], WorkingDir: '/', ArgsEscaped: true })
    expect((await config('FROM scratch\nENTRYPOINT x y')).Entrypoint).toEqual(['/bin/sh', '-c', 'x y'])
  })

  test('9.4 ENTRYPOINT resets an inherited CMD', async () => {
    const image = { Cmd: ['base'] }
    expect((await config('FROM x\nENTRYPOINT ["e"]', { image })).Cmd).toBeUndefined()
    expect((await config('FROM x\nCMD ["own"]\nENTRYPOINT ["e"]', { image })).Cmd).toEqual(['own'])
    expect((await config('FROM x AS a\nCMD ["parent"]\nFROM a\nENTRYPOINT ["e"]', { image })).Cmd).toBeUndefined()
    expect((await config('FROM x AS a\nONBUILD CMD ["t"]\nFROM a\nENTRYPOINT ["e"]', { image })).Cmd).toEqual(['t'])
  })

  test('9.5 SHELL affects later shell forms and children, not HEALTHCHECK', async () => {
    const text =
      'FROM scratch AS a\nCMD before\nSHELL ["/bin/bash", "-c"]\nFROM a\nRUN x\nENTRYPOINT y\nHEALTHCHECK CMD z'
    const { stage } = await planned(text)
    expect(stage.steps).toMatchObject([{ argv: ['/bin/bash', '-c', 'x'] }])
    expect(stage.config).toMatchObject({
      Shell: ['/bin/bash', '-c'],
      Entrypoint: ['/bin/bash', '-c', 'y'],
      Healthcheck: { Test: ['CMD-SHELL', 'z'] },
    })
  })

  test('9.6 HEALTHCHECK', async () => {
    const text = 'FROM scratch\nHEALTHCHECK --interval=5m --timeout=3s --start-period=0s --retries=2 CMD ["curl", "-f"]'
    expect((await config(text)).Healthcheck).toEqual({
      Test: ['CMD', 'curl', '-f'],
      Interval: 300e9,
      Timeout: 3e9,
      Retries: 2,
    })
    expect((await config('FROM scratch\nHEALTHCHECK NONE')).Healthcheck).toEqual({ Test: ['NONE'] })
  })

  test('9.7 USER may become empty', async () => {
    expect((await config('FROM x\nUSER $NO', { image: { User: 'u' } })).User).toBeUndefined()
  })

  test('9.8 VOLUME paths are kept as written; empty ones are errors', async () => {
    expect((await config('FROM scratch\nVOLUME /a/../b c/')).Volumes).toEqual({ '/a/../b': {}, 'c/': {} })
    expect(await failure('FROM scratch\nVOLUME $NO')).toEqual(['a VOLUME cannot be empty', '$NO'])
  })

  test.each(['SIGTERM', 'term', 'RTMIN+3', 'SIGRTMAX', '9', '37'])('9.9 STOPSIGNAL %s', async signal => {
    expect((await config(`FROM scratch\nSTOPSIGNAL ${signal}`)).StopSignal).toBe(signal)
  })

  test.each(['0', 'SIGFOO', 'RTMIN+16', '1x'])('9.9 STOPSIGNAL %s is an error', async signal => {
    expect(await failure(`FROM scratch\nSTOPSIGNAL ${signal}`)).toEqual([`invalid signal "${signal}"`, signal])
  })

  test('9.10 MAINTAINER', async () => {
    const { stage } = await planned('FROM scratch\nMAINTAINER A "B" <c>')
    expect(stage.author).toBe('A "B" <c>')
    expect(stage.history).toEqual([{ createdBy: 'MAINTAINER A "B" <c>' }])
  })

  test('9.11 ONBUILD is stored without a history entry and runs in children of the same file, once', async () => {
    const text = 'FROM scratch AS a\nONBUILD ENV A=1\nONBUILD copy x /y\nFROM a AS b\nENV B=2\nFROM b'
    const { plan } = await planned(text)
    expect(plan.stages[0]).toMatchObject({ config: { OnBuild: ['ENV A=1', 'copy x /y'] }, history: [] })
    expect(plan.stages[1]?.config.Env).toEqual([path, 'A=1', 'B=2'])
    expect(plan.stages[1]?.steps).toMatchObject([{ kind: 'copy', line: 3, text: 'copy x /y' }])
    expect(plan.stages[1]?.config.OnBuild).toBeUndefined()
    expect(plan.stages[2]).toMatchObject({ steps: [], history: [] })
  })

  test('9.11 triggers of an image run right after FROM, and may need stages of the child', async () => {
    const image = { OnBuild: ['COPY --from=dep a /b', 'RUN echo $X'] }
    const { plan, stage } = await planned('FROM scratch AS dep\nFROM x\nENV X=1', { image })
    expect(plan.stages.map(({ name }) => name)).toEqual(['dep', 'stage-1'])
    expect(stage.steps).toMatchObject([
      { kind: 'copy', from: { kind: 'stage', stage: 0 }, line: 2 },
      { kind: 'run', argv: ['/bin/sh', '-c', 'echo $X'], line: 2 },
    ])
    expect(stage.config.OnBuild).toBeUndefined()
    await expect(planned('FROM x', { image: { OnBuild: ['FROM y'] } })).rejects.toThrow('single instruction')
  })

  test.each([
    ['WORKDIR /a/b/', '/a/b/', '/a/b'],
    ['WORKDIR /a/../b', '/a/../b', '/b'],
    ['WORKDIR /a\nWORKDIR b/../c/', '/a/c', '/a/c'],
    ['WORKDIR a', '/a', '/a'],
    ['WORKDIR /a\nWORKDIR $NO', '/a', '/a'],
    ['WORKDIR /a b', '/a b', '/a b'],
  ])('9.12 %j', async (text, stored, created) => {
    const { stage } = await planned(`FROM scratch\nUSER u\n${text}`)
    expect(stage.config.WorkingDir).toBe(stored)
    expect(stage.history.at(-1)).toEqual({ createdBy: `WORKDIR ${stored}`, step: stage.steps.length - 1 })
    expect(stage.steps.at(-1)).toMatchObject({ kind: 'workdir', path: created, user: 'u' })
  })

  test('9.12 / makes no layer', async () => {
    const { stage } = await planned('FROM scratch\nWORKDIR $NO\nWORKDIR /')
    expect(stage).toMatchObject({ steps: [], history: [{ createdBy: 'WORKDIR /' }, { createdBy: 'WORKDIR /' }] })
  })
})

describe('10 history', () => {
  test('10 every instruction, exactly', async () => {
    const text = `FROM scratch
RUN echo \\
  hi
RUN ["true", "a b"]
ARG A=1 B="x y"
RUN z
COPY --parents --chown=1:2 --chmod=u+x --link --exclude=q a b* /d/
ADD --checksum=sha256:${'0'.repeat(64)} https://h/f /d
COPY <<ONE <<TWO /d/
ONE
TWO
WORKDIR rel
ENV A=1 B="two words"
LABEL z=1 a="x y"
CMD echo "q"
ENTRYPOINT ["a", "b\\tc"]
VOLUME /data /x
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=5m --timeout=3s --retries=2 CMD curl ..
USER u
STOPSIGNAL 9
`
    expect(await lines(text)).toEqual([
      'RUN /bin/sh -c echo   hi # buildkit',
      'RUN true a b # buildkit',
      'ARG A=1 B=x y',
      'RUN |2 A=1 B=x y /bin/sh -c z # buildkit',
      'COPY --parents --chown=1:2 --chmod=u+x a b* /d/ # buildkit',
      'ADD https://h/f /d # buildkit',
      'COPY <<ONE <<TWO /d/ # buildkit',
      'WORKDIR /rel',
      'ENV A=1 B=two words',
      'LABEL z=1 a=x y',
      'CMD ["/bin/sh" "-c" "echo \\"q\\""]',
      'ENTRYPOINT ["a" "b\\tc"]',
      'VOLUME [/data /x]',
      'SHELL [/bin/bash -c]',
      'HEALTHCHECK {Test:[CMD-SHELL curl ..] Interval:5m0s Timeout:3s StartPeriod:0s StartInterval:0s Retries:2}',
      'USER u',
      'STOPSIGNAL 9',
    ])
  })

  test('10 a secret in the environment is not shown', async () => {
    const text = 'FROM scratch\nARG T=1\nRUN --mount=type=secret,id=t,env=T x'
    expect((await lines(text)).at(-1)).toBe('RUN |1 T=**** /bin/sh -c x # buildkit')
  })
})

describe('5, 11 RUN', () => {
  test('5.7 a single heredoc is the script', async () => {
    expect((await run('FROM scratch\nRUN <<E\necho $x\nE')).argv).toEqual(['/bin/sh', '-c', 'echo $x\n'])
    expect((await run("FROM scratch\nRUN <<-'E'\n\t\techo\n\tE")).argv).toEqual(['/bin/sh', '-c', 'echo\n'])
    const step = await run('FROM scratch\nRUN <<S.py\n#!/usr/bin/python\nx\nS.py')
    expect(step).toMatchObject({ argv: ['/dev/pipes/S.py'], script: { name: 'S.py', body: '#!/usr/bin/python\nx\n' } })
  })

  test('5.8 anything else is given to the shell with its bodies', async () => {
    const step = await run('FROM scratch\nRUN cat <<-A && cat <<B\n\ta\n\tA\nb\nB')
    expect(step.argv).toEqual(['/bin/sh', '-c', 'cat <<-A && cat <<B\n\ta\nA\nb\nB'])
    expect((await run('FROM scratch\nRUN <<E bash\nx\nE')).argv.at(-1)).toBe('<<E bash\nx\nE')
  })

  test('11.1, 11.2 flags and forms', async () => {
    expect(
      await run('FROM scratch\nWORKDIR /w/x/..\nUSER 1:2\nRUN --network=none --security=insecure ["a", "b c"]', {
        allow: new Set(['security.insecure']),
      }),
    ).toMatchObject({
      argv: ['a', 'b c'],
      network: 'none',
      security: 'insecure',
      workdir: '/w',
      user: '1:2',
    })
    expect((await failure('FROM scratch\nRUN --device=x y'))[0]).toBe('RUN --device is not supported')
    expect((await failure('FROM --platform=windows/amd64 x\nRUN y'))[0]).toBe('RUN cannot be executed for windows')
  })

  const mounts = async (mount: string): Promise<readonly unknown[]> =>
    (await run(`FROM scratch AS s\nFROM scratch\nENV T=/t\nWORKDIR /w\nRUN ${mount} x`)).mounts.map(mount =>
      Object.fromEntries(Object.entries(mount).filter(([key]) => key !== 'place')),
    )

  test.each([
    ['--mount=target=/a', { type: 'bind', target: '/a', from: { kind: 'context' }, source: '/', writable: false }],
    ['--mount=dst=a/../b,src=../x,rw', { type: 'bind', target: '/w/b', source: '/x', writable: true }],
    ['--mount=Type=bind,Destination=$T,readonly=false', { type: 'bind', target: '/t', writable: true }],
    ['--mount=target=/a,ro,rw', { writable: true }],
    ['--mount=from=s,target=/a', { from: { kind: 'stage', stage: 0 } }],
    [
      '--mount=type=cache,target=c/',
      { type: 'cache', target: '/w/c', id: '/w/c', idGiven: false, sharing: 'shared', source: '/', readonly: false },
    ],
    [
      '--mount=type=cache,target=/c,id=i,sharing=LOCKED,from=s,source=q,mode=700,uid=1,gid=2,ro',
      { id: 'i', idGiven: true, sharing: 'locked', source: '/q', mode: 0o700, uid: 1, gid: 2, readonly: true },
    ],
    ['--mount=type=tmpfs,target=/t,size=64m', { type: 'tmpfs', target: '/t', size: 64 << 20 }],
    ['--mount=type=tmpfs,target=/t,size=100', { size: 100 }],
    [
      '--mount=type=secret,id=a/b',
      { type: 'secret', id: 'a/b', target: '/run/secrets/b', required: false, mode: 0o400, uid: 0 },
    ],
    ['--mount=type=secret,target=/k/f', { id: 'f', target: '/k/f' }],
    ['--mount=type=secret,src=q,required,mode=0444,uid=5', { id: 'q', required: true, mode: 0o444, uid: 5 }],
    [
      '--mount=type=ssh',
      { type: 'ssh', id: 'default', target: '/run/buildkit/ssh_agent.0', mode: 0o600, required: false },
    ],
    ['--mount="target=/a,source=b"', { target: '/a', source: '/b' }],
  ])('11.9 %s', async (flag, expected) => {
    expect(await mounts(flag)).toMatchObject([expected])
  })

  test('11.9 a secret as a variable has no file unless it is asked for', async () => {
    expect((await mounts('--mount=type=secret,id=a,env=A'))[0]).not.toHaveProperty('target')
    expect((await mounts('--mount=type=secret,id=a,env=A,target=/f'))[0]).toMatchObject({ env: 'A', target: '/f' })
  })

  test.each([
    ['type=bnd,target=/a', 'unsupported mount type "bnd"', 'type=bnd'],
    ['tagret=/a', 'unexpected key "tagret" for a mount of type bind', 'tagret=/a'],
    ['target', '"target" in --mount must be a key=value pair', 'target'],
    ['target=/', 'invalid mount target "/"', 'target=/'],
    ['target=/a,mode=1', 'unexpected key "mode" for a mount of type bind', 'mode=1'],
    ['target=/a,required', 'unexpected key "required" for a mount of type bind', 'required'],
    ['target=/a,ro=maybe', 'invalid value "maybe" for readonly', 'ro=maybe'],
    ['type=cache,target=/a,sharing=all', 'invalid value "all" for sharing', 'sharing=all'],
    ['type=cache,target=/a,mode=9', 'invalid value "9" for mode', 'mode=9'],
    ['type=cache,target=/a,uid=x', 'invalid value "x" for uid', 'uid=x'],
    ['type=tmpfs,target=/a,size=x', 'invalid value "x" for size', 'size=x'],
    ['type=tmpfs,target=/a,from=s', 'unexpected key "from" for a mount of type tmpfs', 'from=s'],
    ['type=secret', 'a secret mount needs an id or a target', 'type=secret'],
    ['type=secret,id=a,source=b', 'invalid value "b" for source', 'source=b'],
    ['type=secret,id=a,from=s', 'unexpected key "from" for a mount of type secret', 'from=s'],
    ['type=secret,id=a,sharing=shared', 'unexpected key "sharing" for a mount of type secret', 'sharing=shared'],
  ])('11.9 error: %s', async (mount, message, words) => {
    expect(await failure(`FROM scratch AS s\nFROM scratch\nRUN --mount=${mount} x`)).toEqual([message, words])
  })

  test('6.11 --from and --mount=from may use global ARGs', async () => {
    const text =
      'ARG S=dep N=0\nFROM scratch AS dep\nFROM scratch\nCOPY --from=$S a /\nCOPY --from=${N} b /\nRUN --mount=from=$S,target=/x y'
    const { stage } = await planned(text)
    const ref = { kind: 'stage', stage: 0 }
    expect(stage.steps).toMatchObject([{ from: ref }, { from: ref }, { mounts: [{ from: ref }] }])
    expect(await failure('FROM scratch\nARG S=1\nCOPY --from=$S a /')).toEqual([
      '--from uses $S, which is not a global ARG with a value',
      '$S',
    ])
  })
})

describe('12 COPY and ADD', () => {
  test('5.6 heredoc files are expanded unless the delimiter is quoted', async () => {
    const text = `FROM scratch\nENV V=v\nCOPY <<A <<'B' <<-C /x/\n"$V" \\$V\nA\n$V\nB\n\t$V\n\tC\n`
    expect((await copy(text)).sources.map(source => source.kind === 'inline' && [source.name, source.body])).toEqual([
      ['A', '"v" $V\n'],
      ['B', '$V\n'],
      ['C', 'v\n'],
    ])
    expect((await failure('FROM scratch\nCOPY <<a/b /x\na/b'))[1]).toBe('<<a/b')
  })

  test.each([
    ['../f', { path: 'f', wildcard: false }],
    ['/a/../../b/', { path: 'b', wildcard: false }],
    ['.', { path: '.', wildcard: false }],
    ['a*', { path: 'a*', wildcard: true }],
    ['"a b"', { path: 'a b', wildcard: false }],
  ])('12.2 source %s', async (text, expected) => {
    expect((await copy(`FROM scratch\nCOPY ["${text.replaceAll('"', '\\"')}", "/"]`)).sources).toMatchObject([expected])
  })

  test('12.17 the pivot of --parents is kept', async () => {
    expect((await copy('FROM scratch\nCOPY --parents /a/./b/../c /x/')).sources).toMatchObject([{ path: 'a/./c' }])
  })

  test.each([
    ['/d', { path: '/d', directory: false }],
    ['/d/', { path: '/d', directory: true }],
    ['/d/.', { path: '/d', directory: true }],
    ['.', { path: '/w', directory: true }],
    ['./', { path: '/w', directory: true }],
    ['d', { path: '/w/d', directory: false }],
    ['../../d', { path: '/d', directory: false }],
    ['/', { path: '/', directory: true }],
    ['/d.', { path: '/d.', directory: false }],
    ['$NO', { path: '/w', directory: true }],
  ])('12.5 destination %s', async (text, expected) => {
    expect((await copy(`FROM scratch\nWORKDIR /w\nCOPY a ${text}`)).destination).toMatchObject(expected)
  })

  test.each([
    ['0', 0],
    ['7777', 0o7777],
    ['00644', 0o644],
  ])('12.14 --chmod=%s', async (text, mode) => {
    expect((await copy(`FROM scratch\nCOPY --chmod=${text} a b`)).chmod).toEqual({ kind: 'octal', mode })
  })

  test.each(['u=rwX,go=rX', '+x', 'g=u', 'a-w,u+s'])('12.14 --chmod=%s', async text => {
    expect((await copy(`FROM scratch\nCOPY --chmod=${text} a b`)).chmod).toEqual({ kind: 'symbolic', text })
  })

  test.each(['8', '10000', 'u', 'x=r', 'u=rwx,', '-1'])('12.14 --chmod=%s is an error', async text => {
    expect(await failure(`FROM scratch\nCOPY --chmod=${text} a b`)).toEqual([`invalid --chmod=${text}`, text])
  })

  test.each([
    ['https://h/f.tar.gz', 'url'],
    ['http://h/x.git/y', 'url'],
    ['https://h/r.git', 'git'],
    ['https://h/r.git#main:sub', 'git'],
    ['https://h/r.git?ref=v1', 'git'],
    ['git@h:o/r', 'git'],
    ['ssh://git@h/r', 'git'],
    ['git://h/r', 'git'],
    ['github.com/o/r', 'path'],
    ['a@b', 'path'],
    ['c:d', 'path'],
  ])('12.20, 12.21 ADD %s is a %s', async (text, kind) => {
    expect((await copy(`FROM scratch\nADD ${text} /x/`)).sources).toMatchObject([{ kind }])
    if (kind !== 'path') expect((await failure(`FROM scratch\nCOPY ${text} /x/`))[1]).toBe(text)
  })

  const sum = `sha256:${'a'.repeat(64)}`
  test.each([
    [`ADD --checksum=${sum} a /x`, '--checksum needs a URL or a git repository as source'],
    [`ADD --checksum=${sum} https://h/a https://h/b /x/`, '--checksum can be given for one source only'],
    ['ADD --checksum=md5:1 https://h/a /x/', 'invalid --checksum=md5:1'],
    ['ADD --keep-git-dir https://h/a /x/', '--keep-git-dir needs a git repository as source'],
  ])('12.20 %s', async (text, message) => {
    expect((await failure(`FROM scratch\n${text}`))[0]).toBe(message)
  })

  test('12.22 --from an image, scratch, a named context', async () => {
    const namedContexts = new Map([
      ['ctx', 'files'],
      ['docker.io/library/img', 'image'],
      ['scratch', 'files'],
    ] as const)
    const resolveContext = async (name: string): Promise<ResolvedImage> => resolved(`context:${name}`, {})
    const text =
      'FROM scratch\nCOPY --from=x:1 a /\nCOPY --from=scratch a /\nCOPY --from=CTX a /\nCOPY --from=img:latest a /\nADD a /'
    const { stage, asked } = await planned(text, { namedContexts, resolveContext })
    expect(stage.steps.map(step => step.kind === 'copy' && step.from)).toMatchObject([
      { kind: 'image', image: { reference: 'docker.io/library/x:1' } },
      { kind: 'empty' },
      { kind: 'named-context', name: 'ctx' },
      { kind: 'image', image: { reference: 'context:docker.io/library/img' } },
      { kind: 'context' },
    ])
    expect(asked).toHaveLength(1)
  })
})

describe('14.2 named contexts', () => {
  test('a context stands for a stage and for a FROM image', async () => {
    const namedContexts = new Map([
      ['dep', 'files'],
      ['base::linux/amd64', 'image'],
      ['base', 'files'],
    ] as const)
    const resolveContext = async (name: string): Promise<ResolvedImage> => resolved(`context:${name}`, { User: 'c' })
    const text = 'FROM missing AS dep\nRUN no\nFROM base\nCOPY --from=dep a /'
    const { plan, asked } = await planned(text, { namedContexts, resolveContext })
    expect(asked).toEqual([])
    expect(plan.stages[0]).toMatchObject({
      base: { kind: 'scratch' },
      steps: [{ kind: 'copy', from: { kind: 'named-context', name: 'dep' }, destination: { path: '/' } }],
    })
    expect(plan.stages[1]).toMatchObject({
      base: { image: { reference: 'context:base::linux/amd64' } },
      config: { User: 'c' },
    })
  })
})

test('a plan is printable: places as file:line, images as reference and id', async () => {
  const { plan } = await planned('FROM x\nRUN --mount=target=/a \\\n y')
  const json = JSON.parse(planToJson(plan)) as {
    stages: { place: string; base: object; steps: { place: string; text: string }[] }[]
  }
  expect(json.stages[0]).toMatchObject({
    place: 'Dockerfile:1',
    base: { kind: 'image', image: { reference: 'docker.io/library/x:latest', id: `sha256:${'0'.repeat(64)}` } },
    steps: [{ place: 'Dockerfile:2', text: 'RUN --mount=target=/a y', mounts: [{ place: 'Dockerfile:2' }] }],
  })
})
