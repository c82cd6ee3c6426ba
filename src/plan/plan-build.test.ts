import { describe, expect, test } from 'vitest'
import { planToJson } from './plan-json.ts'
import type { ContainerConfig } from '#oci'
import type { ResolvedImage } from './build-plan.ts'
import { config, failure, path, planned, resolved, run } from '../../test/planned.ts'

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
