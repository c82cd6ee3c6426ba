import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, importTestBase, slipway } from './slipway.ts'
import { testBaseName } from './oracle/test-base.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-call-'))

beforeAll(() => importTestBase(root).then(() => {}))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Runs `slipway build` on a file in a context of its own. */
async function build(
  lines: readonly string[],
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const context = mkdtempSync(join(root, 'context-'))
  mkdirSync(context, { recursive: true })
  for (const [name, text] of Object.entries({ ...files, Dockerfile: lines.join('\n') })) {
    writeFileSync(join(context, name), text)
  }
  return slipway(['build', ...args, '.'], { root, cwd: context })
}

/** The names of checks in a text, in order. */
function checksIn(text: string): readonly string[] {
  return [...text.matchAll(/^warning: .* \((\w+)\)$/gm)].map(([, name = '']) => name)
}

const clean = ['FROM scratch', 'COPY x /x', 'ENTRYPOINT ["/x"]']

describe('15.2 --check', () => {
  test('says what is wrong in all stages, where, and where to read on; exit code 1', async () => {
    const { stdout, code } = await build(
      ['FROM scratch AS one', 'CMD run it', 'FROM scratch', 'MAINTAINER me'],
      ['--check'],
    )
    expect(code).toBe(1)
    expect(checksIn(stdout)).toEqual(['JSONArgsRecommended', 'MaintainerDeprecated'])
    expect(stdout).toContain(' --> Dockerfile:2:5\n1 | FROM scratch AS one\n2 | CMD run it\n  |     ^^^^^^\n')
    expect(stdout).toContain('see: docs/checks/JSONArgsRecommended.md\n')
    expect(stdout).toMatch(/\n2 warnings\n$/)
  })

  test('with --target, of the stages that it needs', async () => {
    const lines = ['FROM scratch AS one', 'LABEL a=$X', 'FROM scratch AS two', 'LABEL b=$Y']
    const { stdout } = await build(lines, ['--check', '--target', 'one'])
    expect(stdout.match(/undefined variable \$\w/g)).toEqual(['undefined variable $X'])
  })

  test('exit code 0 when nothing is wrong; nothing is built', async () => {
    expect(await build(clean, ['--check'])).toMatchObject({ code: 0, stdout: 'no warnings\n', stderr: '' })
  })

  test('needs no entitlements: nothing is run', async () => {
    const lines = [`FROM ${testBaseName}`, 'RUN --network=host --security=insecure true']
    expect(await build(lines, ['--check'])).toMatchObject({ code: 0, stdout: 'no warnings\n' })
  })

  test('as JSON', async () => {
    const { stdout, code } = await build(['FROM scratch AS One'], ['--call', 'check,format=json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      warnings: [
        {
          ruleName: 'StageNameCasing',
          detail: 'the stage name One should be in lower case',
          hint: 'write one; FROM One would not find this stage',
          url: 'docs/checks/StageNameCasing.md',
          location: { file: 'Dockerfile', start: { line: 1, column: 17 }, end: { line: 1, column: 20 } },
        },
      ],
    })
  })

  test('an error of the file stands below the warnings', async () => {
    const { stdout, stderr, code } = await build(['FROM scratch AS One', 'EXPOSE x'], ['--check'])
    expect(code).toBe(1)
    expect(checksIn(stdout)).toEqual(['StageNameCasing'])
    expect(stderr).toMatch(/error: EXPOSE x: invalid port "x"\n --> Dockerfile:2:8/)
  })

  test('goes on without an image, but then its variables are not known', async () => {
    const lines = ['FROM slipway-test/absent AS a', 'LABEL a=$X', 'FROM a', 'LABEL b=$X', 'FROM scratch', 'LABEL c=$X']
    const { stdout, stderr, code } = await build(lines, ['--check'])
    expect(code).toBe(1)
    expect(checksIn(stdout)).toEqual(['UndefinedVar'])
    expect(stdout).toContain('Dockerfile:6:9')
    expect(stderr).toContain('slipway-test/absent')
    const known = await build([`FROM ${testBaseName}`, 'LABEL a=$X', 'LABEL b=$PATH'], ['--check'])
    expect(known.stdout).toContain('Dockerfile:2:9')
    expect(checksIn(known.stdout)).toEqual(['UndefinedVar'])
  })

  test('CopyIgnoredFile knows the ignore file', async () => {
    const { stdout } = await build(clean, ['--check'], { '.dockerignore': '# all\nx\n', x: '' })
    expect(checksIn(stdout)).toEqual(['CopyIgnoredFile'])
    expect(stdout).toContain('hint: line 2 of .dockerignore hides it: x')
  })

  test('2.7 BUILDKIT_DOCKERFILE_CHECK stands instead of the directive', async () => {
    const lines = ['# check=skip=all', 'FROM scratch AS One']
    expect((await build(lines, ['--check'])).code).toBe(0)
    expect((await build(lines, ['--check', '--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=error=false'])).code).toBe(1)
  })
})

describe('15.3 a build', () => {
  test('prints each warning once, and goes on', async () => {
    const lines = ['FROM scratch AS One', 'ARG TOKEN', 'LABEL a=$X', 'COPY x /x', 'CMD run it']
    const { stderr, code } = await build(lines, ['--build-arg', 'TOKEN=1'], { x: '' })
    expect(code).toBe(0)
    expect(checksIn(stderr)).toEqual([
      'StageNameCasing',
      'SecretsUsedInArgOrEnv',
      'UndefinedVar',
      'JSONArgsRecommended',
    ])
    expect(stderr).toContain("left out of the image's history")
  })

  test('is silent about instructions of stages that it does not need', async () => {
    const { stderr } = await build(['FROM scratch', 'CMD run it', ...clean], [], { x: '' })
    expect(checksIn(stderr)).toEqual([])
  })

  test('tells programs where to read on', async () => {
    const { stderr } = await build(['FROM scratch', 'MAINTAINER me'], ['--progress', 'json'])
    const events = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { kind: string })
    expect(events.filter(({ kind }) => kind === 'warning')).toMatchObject([
      { code: 'MaintainerDeprecated', url: 'docs/checks/MaintainerDeprecated.md', at: { line: 2, column: 1 } },
    ])
  })

  test('2.7 error=true ends it before the first step', async () => {
    const lines = ['# check=error=true', 'FROM scratch', 'MAINTAINER me', 'COPY missing /']
    const { stderr, code } = await build(lines)
    expect(code).toBe(1)
    expect(stderr).toMatch(/error: the build checks found an error: MaintainerDeprecated\n --> Dockerfile:3:1\n/)
    expect(stderr).not.toContain('missing')
    const quiet = await build(lines, ['-q'])
    expect(quiet.code).toBe(1)
    expect(quiet.stderr).toContain('| MaintainerDeprecated: MAINTAINER is deprecated')
  })
})

describe('15.2 --call', () => {
  const lines = [
    '# TAG which one',
    'ARG TAG=latest',
    '# app the program',
    `FROM ${testBaseName}:$TAG AS app`,
    'ARG TAG',
    'RUN --mount=type=secret,id=key,required=true --mount=type=ssh true',
    'FROM scratch',
  ]

  test('outline', async () => {
    const { stdout, code } = await build(lines, ['--call', 'outline', '--target', 'app'])
    expect(code).toBe(0)
    expect(stdout.replace(/ +/g, ' ')).toBe(
      [
        'TARGET: app',
        'DESCRIPTION: the program',
        '',
        'BUILD ARG VALUE LINE DESCRIPTION',
        'TAG latest 2 which one',
        '',
        'SECRET REQUIRED LINE',
        'key yes 6',
        '',
        'SSH REQUIRED LINE',
        'default no 6',
        '',
      ].join('\n'),
    )
    const json = await build(lines, ['--call=outline,format=json', '--target', 'app'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      args: [{ name: 'TAG', value: 'latest', location: { line: 2 } }],
      secrets: [{ id: 'key', required: true, location: { file: 'Dockerfile', line: 6 } }],
      ssh: [{ id: 'default', required: false }],
    })
  })

  test('targets', async () => {
    const { stdout } = await build(lines, ['--call', 'targets', '--build-arg', 'TAG=2'])
    expect(stdout.replace(/ +/g, ' ')).toBe(
      `TARGET BASE PLATFORM LINE DESCRIPTION\napp ${testBaseName}:2 4 the program\n(default) scratch 7\n`,
    )
    const json = await build(lines, ['--call', 'targets,format=json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ targets: [{ name: 'app' }, { base: 'scratch', default: true }] })
  })

  test.each([
    [['--call', 'outlin'], /invalid method "outlin"[^]*did you mean outline\?/],
    [['--call', 'check,format=yaml'], /invalid setting "format=yaml"/],
    [['--check', '--call', 'targets'], /--check is --call check, not --call targets/],
    [['--check', '--print-plan'], /--print-plan does not go with --call/],
  ])('%j is wrong usage', async (args, says) => {
    const { stderr, code } = await build(clean, args)
    expect(code).toBe(2)
    expect(stderr).toMatch(says)
  })
})
