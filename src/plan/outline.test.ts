import { describe, expect, test } from 'vitest'
import { positionOf } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import { listTargets, outlineOf } from './outline.ts'
import { planBuild } from './plan-build.ts'
import type { PlanOptions } from './plan-options.ts'

const platform = { os: 'linux', architecture: 'arm64' } as const

function optionsOf(text: string, more: Partial<PlanOptions> = {}): PlanOptions {
  return {
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    platform,
    resolveImage: async (reference, { os, architecture }) => ({
      reference,
      id: 'sha256:0',
      config: { os, architecture, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
    }),
    ...more,
  }
}

async function outline(text: string, more: Partial<PlanOptions> = {}) {
  const options = optionsOf(text, more)
  const { args, secrets, ssh, ...rest } = outlineOf(options, await planBuild(options))
  const withLine = <T extends { place: Parameters<typeof lineOf>[0] }>({ place, ...other }: T) => ({
    ...other,
    line: lineOf(place),
  })
  return { ...rest, args: args.map(withLine), secrets: secrets.map(withLine), ssh: ssh.map(withLine) }
}

function lineOf({ source, span }: { source: { name: string; text: string }; span: { start: number; end: number } }) {
  return positionOf(source, span.start).line
}

describe('15.2 outline', () => {
  test('arguments with default, description and line', async () => {
    const text = [
      '# TAG which Debian',
      'ARG TAG=12',
      'ARG UNUSED=1',
      'ARG SUFFIX=-slim',
      'ARG LATER=$SUFFIX',
      '# app the program',
      'FROM debian:$TAG AS app',
      'ARG TAG',
      '# other: not about it',
      'ARG EMPTY= UNSET',
      '# LEVEL how much to say',
      'ARG LEVEL=1',
      'ARG LATER',
      'FROM scratch',
      'ARG ELSEWHERE=1',
    ].join('\n')
    expect(await outline(text, { target: 'APP', buildArgs: { LEVEL: '2' } })).toEqual({
      name: 'app',
      description: 'the program',
      args: [
        { name: 'TAG', value: '12', description: 'which Debian', line: 2 },
        { name: 'SUFFIX', value: '-slim', line: 4 },
        { name: 'LATER', value: '-slim', line: 5 },
        { name: 'EMPTY', value: '', line: 10 },
        { name: 'UNSET', line: 10 },
        { name: 'LEVEL', value: '2', description: 'how much to say', line: 12 },
      ],
      secrets: [],
      ssh: [],
    })
  })

  test('a default of the stage counts more than the global one', async () => {
    const { args } = await outline('# V global\nARG V=1\nFROM scratch\nARG V=2')
    expect(args).toEqual([{ name: 'V', value: '2', description: 'global', line: 4 }])
  })

  test('secrets and SSH agents of all stages that are needed, each once', async () => {
    const text = [
      'FROM a AS unused',
      'RUN --mount=type=secret,id=other x',
      'FROM a AS build',
      'RUN --mount=type=secret,id=one --mount=type=ssh x',
      'FROM scratch',
      'COPY --from=build /x /',
      'RUN --mount=type=secret,id=one,required=true --mount=type=secret,target=/run/two x',
    ].join('\n')
    expect(await outline(text)).toEqual({
      args: [],
      secrets: [
        { id: 'one', required: true, line: 4 },
        { id: 'two', required: false, line: 7 },
      ],
      ssh: [{ id: 'default', required: false, line: 4 }],
    })
  })

  test('values that look like secrets are masked', async () => {
    const { args } = await outline('FROM scratch\nARG TOKEN', { buildArgs: { TOKEN: 'x1' } })
    expect(args).toEqual([{ name: 'TOKEN', value: '****', line: 2 }])
  })
})

describe('15.2 targets', () => {
  test('name, base, platform, default, description', () => {
    const text = [
      'ARG TAG=12',
      '# build  compiles',
      'FROM --platform=$BUILDPLATFORM debian:$TAG AS Build',
      'FROM scratch',
      '# about something else',
      'FROM build AS final',
    ].join('\n')
    const targets = listTargets(optionsOf(text, { buildPlatform: { os: 'linux', architecture: 'amd64' } }))
    expect(targets.map(({ place, ...rest }) => ({ ...rest, line: lineOf(place) }))).toEqual([
      {
        name: 'build',
        description: 'compiles',
        isDefault: false,
        base: 'debian:12',
        platform: 'linux/amd64',
        line: 3,
      },
      { isDefault: false, base: 'scratch', line: 4 },
      { name: 'final', isDefault: true, base: 'build', line: 6 },
    ])
  })
})
