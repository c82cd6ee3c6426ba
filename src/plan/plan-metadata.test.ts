import { describe, expect, test } from 'vitest'
import { config, failure, lines, path, planned } from '../../test/planned.ts'

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
