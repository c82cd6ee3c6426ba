import { describe, expect, test } from 'vitest'
import { UserError, type Warning } from '#diagnostics'
import { parseDockerfile, parseIgnoreFile } from '#dockerfile'
import { checkNames } from './check-names.ts'
import type { LintOptions } from './finding.ts'
import { lintDockerfile } from './lint-dockerfile.ts'

const name = 'Dockerfile'

function lint(text: string, options?: LintOptions): readonly Warning[] {
  return lintDockerfile(parseDockerfile({ name, text }), options)
}

/** Every warning as its name and the words that the caret stands under. */
function marks(warnings: readonly Warning[]): readonly string[] {
  return warnings.map(({ code, at }) => `${code}: ${at?.source.text.slice(at.span.start, at.span.end) ?? ''}`)
}

const ignore = parseIgnoreFile({ name: '.dockerignore', text: '# not for images\n*.log\nnode_modules\n' })
const exceptions = parseIgnoreFile({ name: '.dockerignore', text: '*.log\n!keep.log\n' })

type Case = readonly [text: string, marked: readonly string[], options?: LintOptions]

const cases: Readonly<Record<string, readonly Case[]>> = {
  StageNameCasing: [
    ['FROM scratch AS Builder', ['Builder']],
    ['FROM scratch AS builder', []],
    ['FROM scratch', []],
  ],
  FromAsCasing: [
    ['FROM scratch as a', ['as']],
    ['from scratch AS a', ['AS']],
    ['FROM scratch As a', ['As']],
    ['from scratch as a', []],
    ['FROM scratch AS a', []],
  ],
  NoEmptyContinuation: [
    ['FROM scratch\nLABEL a=1 \\\n\n  b=2', ['']],
    ['FROM scratch\nLABEL a=1 \\\n \t\n\n  b=2', [' \t']],
    ['FROM scratch\nLABEL a=1 \\\n#\n  b=2', []],
  ],
  ConsistentInstructionCasing: [
    ['FROM scratch\nuser a\nWORKDIR /a', ['user']],
    ['from scratch\nuser a\nWORKDIR /a', ['WORKDIR']],
    ['FROM scratch\nUser a', ['User']],
    ['ARG A\nARG B\nfrom scratch', ['from']],
    ['FROM scratch\nuser a', ['user']],
    ['from scratch\nuser a', []],
  ],
  DuplicateStageName: [
    ['FROM scratch AS a\nFROM scratch AS b\nFROM scratch AS a', ['a']],
    ['FROM scratch AS a\nFROM scratch AS b', []],
    ['FROM scratch\nFROM scratch', []],
  ],
  ReservedStageName: [
    ['FROM scratch AS scratch', ['scratch']],
    ['FROM scratch AS context', ['context']],
    ['FROM scratch AS scratches', []],
  ],
  JSONArgsRecommended: [
    ['FROM scratch\nCMD run it', ['run it']],
    ['FROM scratch\nENTRYPOINT run \\\n it', ['run \\\n it']],
    ["FROM scratch\nCMD ['run']", ["['run']"]],
    ['FROM scratch\nCMD ["run"]\nENTRYPOINT ["a"]', []],
    ['FROM scratch\nSHELL ["sh"]\nCMD run it', []],
    ['FROM scratch AS a\nSHELL ["sh"]\nFROM a\nCMD run it', []],
    ['FROM scratch AS a\nSHELL ["sh"]\nFROM scratch\nCMD run it', ['run it']],
    ['FROM shell\nCMD run it', [], { shellInBase: new Set([0]) }],
  ],
  MaintainerDeprecated: [
    ['FROM scratch\nMAINTAINER me', ['MAINTAINER']],
    ['FROM scratch\nLABEL maintainer=me', []],
  ],
  WorkdirRelativePath: [
    ['FROM scratch\nWORKDIR app', ['app']],
    ['FROM scratch\nWORKDIR "app"', ['"app"']],
    ['FROM scratch\nWORKDIR /app\nWORKDIR src', []],
    ['FROM scratch AS a\nWORKDIR /app\nFROM a\nWORKDIR src', []],
    ['FROM scratch AS a\nWORKDIR /app\nFROM scratch\nWORKDIR src', ['src']],
    ['FROM scratch\nARG DIR=/app\nWORKDIR $DIR', []],
    ['FROM scratch\nWORKDIR C:\\app', []],
  ],
  MultipleInstructionsDisallowed: [
    ['FROM scratch\nCMD ["a"]\nCMD ["b"]\nCMD ["c"]', ['CMD', 'CMD']],
    ['FROM scratch\nENTRYPOINT ["a"]\nENTRYPOINT ["b"]', ['ENTRYPOINT']],
    ['FROM scratch\nHEALTHCHECK NONE\nHEALTHCHECK CMD a', ['HEALTHCHECK']],
    ['FROM scratch AS a\nCMD ["a"]\nFROM a\nCMD ["b"]', []],
    ['FROM scratch\nCMD ["a"]\nENTRYPOINT ["b"]', []],
  ],
  LegacyKeyValueFormat: [
    ['FROM scratch\nENV a b c', ['a b c']],
    ['FROM scratch\nLABEL a b', ['a b']],
    ['FROM scratch\nONBUILD ENV a b', ['a b']],
    ['FROM scratch\nENV a="b c"', []],
  ],
  RedundantTargetPlatform: [
    ['FROM --platform=$TARGETPLATFORM scratch', ['$TARGETPLATFORM']],
    ['FROM --platform=${TARGETPLATFORM} scratch', ['${TARGETPLATFORM}']],
    ['FROM --platform=$BUILDPLATFORM scratch', []],
    ['FROM --platform=linux/$TARGETARCH scratch', []],
  ],
  SecretsUsedInArgOrEnv: [
    ['FROM scratch\nARG GITHUB_TOKEN A=1', ['GITHUB_TOKEN']],
    ['FROM scratch\nENV db_password=x OTHER=y API_KEY=z', ['db_password', 'API_KEY']],
    ['ARG SECRET\nFROM scratch', ['SECRET']],
    ['FROM scratch\nONBUILD ARG AUTH', ['AUTH']],
    ['FROM scratch\nENV PUBLIC_KEY=x PASSWORD_FILE=/x TOKEN_VERSION=1 KEYBOARD=de TOKENS=1', []],
    ['FROM scratch\nLABEL password=x', []],
  ],
  InvalidDefaultArgInFrom: [
    ['ARG BASE\nFROM $BASE', ['$BASE']],
    ['ARG TAG\nFROM debian:${TAG}', ['debian:${TAG}']],
    ['ARG BASE=Upper\nFROM $BASE', ['$BASE']],
    ['ARG BASE=debian\nFROM $BASE', []],
    ['ARG TAG\nFROM debian:${TAG:-12}', []],
    ['FROM scratch AS base-linux\nFROM base-$TARGETOS', []],
  ],
  FromPlatformFlagConstDisallowed: [
    ['FROM --platform=linux/amd64 scratch', ['linux/amd64']],
    ['FROM --platform=linux/amd64 scratch AS build', ['linux/amd64']],
    ['FROM --platform=linux/amd64 scratch AS build_amd64', []],
    ['FROM --platform=linux/arm64 scratch AS linux-only', []],
    ['FROM --platform=$BUILDPLATFORM scratch', []],
  ],
  CopyIgnoredFile: [
    ['FROM scratch\nCOPY a.log b /', ['a.log'], { ignore }],
    ['FROM scratch\nADD ./node_modules/x /x', ['./node_modules/x'], { ignore }],
    ['FROM scratch\nCOPY ["a.log", "/"]', ['"a.log"'], { ignore }],
    ['FROM scratch\nCOPY *.log /', ['*.log'], { ignore }],
    ['FROM scratch\nCOPY . /', [], { ignore }],
    ['FROM scratch\nCOPY sub/a.log /', [], { ignore }],
    ['FROM scratch AS a\nFROM scratch\nCOPY --from=a a.log /', [], { ignore }],
    ['FROM scratch\nADD https://example.test/a.log /', [], { ignore }],
    ['FROM scratch\nCOPY a.log /', [], { ignore: exceptions }],
    ['FROM scratch\nCOPY a.log /', []],
  ],
  InvalidDefinitionDescription: [
    ['# check=experimental=all\n# the base\nFROM scratch AS base', ['# the base']],
    ['# check=experimental=InvalidDefinitionDescription\nFROM scratch\n# a number\nARG N', ['# a number']],
    ['# check=experimental=all\n# base is where it starts\nFROM scratch AS base', []],
    ['# check=experimental=all\n# N a number\nARG N=1\nFROM scratch', []],
    ['# check=experimental=all\n# the base\n\nFROM scratch AS base', []],
    ['# check=experimental=all\n# the base\n#\nFROM scratch AS base', []],
    ['# check=experimental=all\n# no name\nFROM scratch', []],
    ['#\n# the base\nFROM scratch AS base', []],
  ],
  ExposeProtoCasing: [
    ['FROM scratch\nEXPOSE 80/TCP 53/Udp 1/tcp', ['TCP', 'Udp']],
    ['FROM scratch\nEXPOSE "80/TCP"', ['TCP']],
    ['FROM scratch\nARG PROTO=udp\nEXPOSE 53/$PROTO', []],
  ],
  ExposeInvalidFormat: [
    ['FROM scratch\nEXPOSE 127.0.0.1:80:80', ['127.0.0.1:80:80']],
    ['FROM scratch\nEXPOSE 81 8080:80', ['8080:80']],
    ['FROM scratch\nEXPOSE 80 81/udp 90-92', []],
    ['FROM scratch\nEXPOSE ${PORT:-80}', []],
  ],
}

/** What src/plan finds, because it needs values: its tests are there and in test/checks.test.ts. */
const planned = ['UndefinedVar', 'UndefinedArgInFrom', 'InvalidBaseImagePlatform']

test('15.3 every check is in this table or found by planning', () => {
  expect([...Object.keys(cases), ...planned].toSorted()).toEqual(checkNames.toSorted())
})

describe.each(Object.entries(cases))('15.3 %s', (code, rows) => {
  test.each(rows.map(([text, marked, options]) => ({ text, marked, options })))(
    '$text',
    ({ text, marked, options }) => {
      const found = lint(text, options).filter(warning => warning.code === code)
      expect(marks(found)).toEqual(marked.map(words => `${code}: ${words}`))
      for (const warning of found) {
        expect(warning).toMatchObject({ hint: expect.stringMatching(/./), url: `docs/checks/${code}.md` })
        expect(warning.fails).toBeUndefined()
      }
    },
  )
})

describe('15.3 together', () => {
  test('a tidy file has no warnings', () => {
    const text = [
      '# syntax=docker/dockerfile:1',
      '# check=experimental=all',
      'ARG TAG=12',
      '# build compiles',
      'FROM debian:${TAG} AS build',
      'WORKDIR /src',
      'COPY . .',
      'RUN make \\',
      '  # all of it',
      '  all',
      'FROM scratch',
      'COPY --from=build /src/app /app',
      'EXPOSE 8080/tcp',
      'ENTRYPOINT ["/app"]',
    ].join('\n')
    expect(lint(text, { ignore })).toEqual([])
  })

  test('warnings stand in the order of the file, those of planning among them', () => {
    const tree = parseDockerfile({ name, text: 'FROM scratch AS A\nUSER $X\nMAINTAINER me' })
    const at = { source: tree.source, span: { start: 23, end: 25 } }
    const found = [
      { code: 'UnusedBuildArg', message: 'unused' },
      { code: 'UndefinedVar', message: 'undefined', at },
    ]
    const warnings = lintDockerfile(tree, { found: [...found, ...found] })
    expect(marks(warnings)).toEqual([
      'StageNameCasing: A',
      'UndefinedVar: $X',
      'MaintainerDeprecated: MAINTAINER',
      'UnusedBuildArg: ',
    ])
    expect(warnings[1]?.url).toBe('docs/checks/UndefinedVar.md')
    expect(warnings[3]?.url).toBeUndefined()
  })

  test('instructions of stages that are not built are not looked at, their names are', () => {
    const text = 'FROM scratch AS A\nCMD a\nENV B b\nFROM scratch\nCMD b'
    expect(marks(lint(text, { stages: new Set([1]) }))).toEqual([
      'StageNameCasing: A',
      'LegacyKeyValueFormat: B b',
      'JSONArgsRecommended: b',
    ])
  })

  test('a hidden source says which line of the ignore file hides it', () => {
    expect(lint('FROM scratch\nCOPY a.log /', { ignore })[0]?.hint).toBe('line 2 of .dockerignore hides it: *.log')
  })
})

describe('2.7 settings', () => {
  const bad = 'FROM scratch AS A\nMAINTAINER me\nCMD a\n'
  const all = ['StageNameCasing: A', 'MaintainerDeprecated: MAINTAINER', 'JSONArgsRecommended: a']

  test.each<[string, readonly string[]]>([
    ['', all],
    ['# check=skip=all\n', []],
    ['# check=skip=StageNameCasing, JSONArgsRecommended\n', [all[1] ?? '']],
    ['# Check = skip=MaintainerDeprecated ; error=false\n', [all[0] ?? '', all[2] ?? '']],
  ])('%j', (directive, expected) => {
    expect(marks(lint(directive + bad))).toEqual(expected)
  })

  test('names are case-sensitive, and one that does not exist is told', () => {
    const warnings = lint(`# check=skip=stagenamecasing\n${bad}`)
    expect(marks(warnings)).toEqual(['UnknownCheck: stagenamecasing', ...all])
    expect(warnings[0]?.hint).toBe('did you mean StageNameCasing?')
  })

  test('error=true marks every warning of a check', () => {
    const found = [{ code: 'UnusedBuildArg', message: 'x' }]
    expect(lint(`# check=error=true\n${bad}`, { found }).map(({ fails }) => fails)).toEqual([
      true,
      true,
      true,
      undefined,
    ])
  })

  test('BUILDKIT_DOCKERFILE_CHECK stands instead of the directive', () => {
    const options = { setting: 'skip=StageNameCasing,MaintainerDeprecated' }
    expect(lint(`# check=skip=all;error=true\n${bad}`, options)).toMatchObject([{ code: 'JSONArgsRecommended' }])
    expect(lint(`# check=error=true\n${bad}`, options)[0]?.fails).toBeUndefined()
    expect(marks(lint(`# check=skip=all\n${bad}`, { setting: '' }))).toEqual(all)
  })

  test('a comment above an instruction holds for it, above FROM for the stage', () => {
    const text =
      'FROM scratch\n# check=skip=JSONArgsRecommended\n\nCMD a\nENTRYPOINT a\n# check=skip=all\nFROM scratch\nCMD b'
    expect(marks(lint(text))).toEqual(['JSONArgsRecommended: a'])
    expect(lint(text)[0]?.at?.span.start).toBe(text.indexOf('ENTRYPOINT a') + 11)
    const failing = 'FROM scratch\n# check=error=true\nCMD a\nENTRYPOINT b'
    expect(lint(failing).map(({ fails }) => fails)).toEqual([true, undefined])
  })

  test('it also holds for what planning found, and adds to what holds for the file', () => {
    const text =
      '# check=skip=JSONArgsRecommended\nFROM scratch\n# check=skip=UndefinedVar\nLABEL a=$X\nLABEL b=$X\nCMD a'
    const tree = parseDockerfile({ name, text })
    const found = [text.indexOf('$X'), text.lastIndexOf('$X')].map(start => ({
      code: 'UndefinedVar',
      message: 'x',
      at: { source: tree.source, span: { start, end: start + 2 } },
    }))
    expect(lintDockerfile(tree, { found })).toMatchObject([{ at: { span: { start: text.lastIndexOf('$X') } } }])
  })

  test('an experimental check is silent unless named, and can be skipped', () => {
    const text = '# the base\nFROM scratch AS base'
    expect(lint(text, { setting: 'skip=StageNameCasing' })).toEqual([])
    expect(lint(text, { setting: 'experimental=InvalidDefinitionDescription' })).toHaveLength(1)
    expect(lint(text, { setting: 'experimental=all;skip=InvalidDefinitionDescription' })).toEqual([])
  })

  test.each([
    ['# check=skipp=all\n', 'skipp=all', 'did you mean skip?'],
    [
      '# check=skip=all;error\n',
      'error',
      'write skip=RULE,RULE or error=true or experimental=RULE, with ; between them',
    ],
    ['# check=error=yes\n', 'yes', 'write error=true or error=false'],
    ['FROM scratch\n# check=eror=true\n', 'eror=true', 'did you mean error?'],
  ])('%j is an error at its words', (directive, words, hint) => {
    try {
      lint(`${directive}FROM scratch`)
      expect.fail('no error')
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
      const { at, hint: said } = error as UserError
      expect(at?.source.text.slice(at.span.start, at.span.end)).toBe(words)
      expect(said).toBe(hint)
    }
  })
})
