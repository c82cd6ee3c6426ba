import { describe, expect, test } from 'vitest'
import { type Span, UserError } from '#diagnostics'
import { parseDockerfile, parseTrigger } from './parse-dockerfile.ts'
import type { CopyInstruction, DockerfileTree, Instruction, StageInstruction } from './syntax-tree.ts'

const parse = (text: string): DockerfileTree => parseDockerfile({ name: 'Dockerfile', text })

/** The instructions below `FROM scratch`. */
const body = (text: string): readonly StageInstruction[] => parse(`FROM scratch\n${text}`).stages[0]?.instructions ?? []

type OfKind<K, I = Instruction> = I extends { readonly kind: infer Kinds } ? (K extends Kinds ? I : never) : never

function only<K extends Instruction['kind']>(text: string, kind: K): OfKind<K> {
  const [instruction, ...others] = body(text)
  expect(others).toEqual([])
  expect(instruction?.kind).toBe(kind)
  return instruction as OfKind<K>
}

/** The error with the words under its caret. */
function failure(text: string): { message: string; hint: string; words: string } {
  try {
    parse(text)
  } catch (error) {
    if (!(error instanceof UserError) || !error.at) throw error
    return { message: error.message, hint: error.hint, words: cut(text, error.at.span) }
  }
  throw new Error(`parsed: ${text}`)
}

const cut = (text: string, { start, end }: Span): string => text.slice(start, end)

describe('1 files, encoding, lines', () => {
  test('1.2 a byte order mark is dropped, offsets still count it', () => {
    const tree = parse('\u{feff}FROM scratch\n')
    expect(tree.stages[0]?.from.image).toMatchObject({ text: 'scratch', span: { start: 6, end: 13 } })
  })

  test('1.2 CRLF is fine everywhere', () => {
    const tree = parse('# escape=`\r\nFROM scratch\r\nENV a=1 `\r\n  b=2\r\n')
    expect(tree.escape).toBe('`')
    const [env] = tree.stages[0]?.instructions ?? []
    expect(env?.kind === 'env' && env.pairs.map(({ name, value }) => [name.text, value.text])).toEqual([
      ['a', '1'],
      ['b', '2'],
    ])
  })

  test('1.3 a line of more than 65535 bytes is read whole', () => {
    const value = 'x'.repeat(70_000)
    expect(only(`ENV a=${value}`, 'env').pairs[0]?.value.text).toBe(value)
  })

  test.each([
    ['', 'the Dockerfile is empty'],
    ['\u{feff}', 'the Dockerfile is empty'],
    ['# only\n\n', 'the file has no instructions'],
    ['ARG A=1\n', 'there is no stage to build'],
    ['RUN x\n', 'no build stage yet: RUN stands before the first FROM'],
  ])('1.4 without a stage: %j', (text, message) => {
    expect(failure(text).message).toBe(message)
  })

  test('1.5 keywords in any case; blanks before the first line do not count, those of continuations do', () => {
    const run = only('  \trUn a \\\n   b', 'run')
    expect(run.keyword.text).toBe('rUn')
    expect(run.command.form === 'shell' && run.command.text.text).toBe('a    b')
  })

  test('1.6 an unknown keyword with a suggestion', () => {
    expect(failure('FROM scratch\nCOPPY a b\n')).toEqual({
      message: 'unknown instruction: COPPY',
      hint: 'did you mean COPY?',
      words: 'COPPY',
    })
  })

  test('1.7 spans reach over continuations and heredocs; words of joined lines keep their own place', () => {
    const text = 'FROM scratch\nCOPY a \\\n# note\n  longer \\\n  dest/\nRUN <<E\nx\nE\n'
    const [copy, run] = parse(text).stages[0]?.instructions ?? []
    expect(copy && cut(text, copy.span)).toBe('COPY a \\\n# note\n  longer \\\n  dest/')
    expect(run && cut(text, run.span)).toBe('RUN <<E\nx\nE')
    const { sources, destination } = copy as CopyInstruction
    expect(sources.map(source => source.kind === 'path' && cut(text, source.path.span))).toEqual(['a', 'longer'])
    expect(cut(text, destination.span)).toBe('dest/')
  })
})

describe('2 parser directives', () => {
  test('2.1 names in any case, blanks anywhere, values keep their case', () => {
    const { directives } = parse('#  SYNTAX =  Docker/Dockerfile:1 x  \n# check=skip=all;error=true\nFROM scratch')
    expect(directives.map(({ name, value }) => [name, value.text])).toEqual([
      ['syntax', 'Docker/Dockerfile:1 x'],
      ['check', 'skip=all;error=true'],
    ])
  })

  test.each([
    ['a blank line', '\n# escape=`\nFROM a'],
    ['a comment', '# note\n# escape=`\nFROM a'],
    ['an unknown name', '# foo=bar\n# escape=`\nFROM a'],
    ['an instruction', 'FROM a\n# escape=`'],
    ['a shebang', '#!/usr/bin/x\n# escape=`\nFROM a'],
  ])('2.2 %s ends directives', (_, text) => {
    expect(parse(text).escape).toBe('\\')
    expect(parse(text).comments.some(comment => comment.text === 'escape=`')).toBe(true)
  })

  test('2.2 syntax is found behind a shebang', () => {
    expect(parse('#!/x\n# syntax=a\nFROM a').directives.map(({ name }) => name)).toEqual(['syntax'])
  })

  test('2.3 the same directive twice', () => {
    expect(failure('# escape=`\n# escape=`\nFROM a')).toMatchObject({
      message: 'only one escape parser directive can be used',
      words: '# escape=`',
    })
  })

  test('2.4 no continuation in a directive', () => {
    expect(failure('# escape=\\\n`\nFROM a').message).toContain('unknown instruction')
  })

  test('2.5 escape takes a backslash or a backtick', () => {
    expect(failure('# escape=x\nFROM a')).toMatchObject({ words: 'x' })
    expect(parse('# escape=`\nFROM a\nRUN a\\\nRUN b').stages[0]?.instructions).toHaveLength(2)
  })
})

describe('3 comments and continuations', () => {
  test('3.1 # starts a comment at the start of a line only', () => {
    const run = only('  # c\nRUN echo # x', 'run')
    expect(run.command.form === 'shell' && run.command.text.text).toBe('echo # x')
  })

  test.each([
    ['RUN a\\\nb', 'ab'],
    ['RUN a \\  \t\n  b', 'a   b'],
    ['RUN a\\\\', 'a\\\\'],
    ['RUN a\\\n\\\nb', 'ab'],
    ['RUN a\\', 'a'],
    ['RUN a \\\n# c\n   # d\nb', 'a b'],
    ['RUN a \\\n\n\nb', 'a b'],
    ['RUN "a \\\n# inside\nb"', '"a b"'],
  ])('3.2 to 3.6 %j', (text, joined) => {
    const run = only(text, 'run')
    expect(run.command.form === 'shell' && run.command.text.text).toBe(joined)
  })

  test('3.4 blank lines of a continuation are remembered', () => {
    expect(only('RUN a \\\n\n \nb', 'run').blankContinuations).toHaveLength(2)
  })

  test('3.7 comments directly above; an empty one resets', () => {
    const tree = parse('# old\n#\n# name text\n\nFROM scratch')
    expect(tree.stages[0]?.from.comments.map(({ text }) => text)).toEqual(['name text'])
    expect(tree.comments).toHaveLength(3)
  })
})

describe('4 flags and arguments', () => {
  test('4.2 quotes and escapes are removed; -- and the first other word end the flags', () => {
    const run = only(`RUN --mount="type=bind",target=/a\\ b --network='none' -- --mount=x`, 'run')
    expect(run.mounts.map(({ text }) => text)).toEqual(['type=bind,target=/a b'])
    expect(run.network?.text).toBe('none')
    expect(run.command.form === 'shell' && run.command.text.text).toBe('--mount=x')
    expect(only('RUN x --mount=y', 'run').mounts).toEqual([])
  })

  test('4.2 a flag on a continued line has its own place', () => {
    const text = 'FROM scratch\nCOPY --from=a \\\n  --chwon=1 x /\n'
    expect(failure(text).words).toBe('--chwon=1')
  })

  test.each([
    ['COPY --link a b', true],
    ['COPY --link=TRUE a b', true],
    ['COPY --link=false a b', false],
    ['COPY a b', false],
  ])('4.3 %s', (text, link) => {
    expect(only(text, 'copy').link).toBe(link)
  })

  test.each([
    ['COPY --link= a b', 'missing a value on flag: --link'],
    ['COPY --link=yes a b', 'expecting true or false for flag --link, not "yes"'],
    ['COPY --from a b', 'missing a value on flag: --from'],
    ['COPY --from=a --from=b a b', 'duplicate flag specified: --from'],
    ['COPY --formm=a a b', 'unknown flag for COPY: --formm'],
    ['COPY --checksum=a a b', 'unknown flag for COPY: --checksum'],
    ['ADD --parents a b', 'unknown flag for ADD: --parents'],
    ['COPY --constructor a b', 'unknown flag for COPY: --constructor'],
  ])('4.3 %s', (text, message) => {
    expect(failure(`FROM scratch\n${text}`).message).toBe(message)
  })

  test('4.3 lists repeat', () => {
    expect(only('COPY --exclude=a --exclude=b x y', 'copy').exclude.map(({ text }) => text)).toEqual(['a', 'b'])
  })

  test.each('ENV LABEL EXPOSE USER WORKDIR VOLUME SHELL CMD ENTRYPOINT ONBUILD MAINTAINER ARG STOPSIGNAL'.split(' '))(
    '4.4 %s knows no flag',
    keyword => {
      expect(failure(`FROM scratch\n${keyword} --x=1 a=b`)).toMatchObject({
        message: `unknown flag for ${keyword}: --x`,
        words: '--x=1',
      })
    },
  )

  test.each([
    ['CMD ["a", "b\\u0021\\n"]', ['a', 'b!\n']],
    ['CMD  [ ]', []],
    ['CMD ["a"] x', '["a"] x'],
    ["CMD ['a']", "['a']"],
    ['CMD ["a"', '["a"'],
    ['CMD {"a":1}', '{"a":1}'],
  ])('4.5 %s', (text, expected) => {
    const { command } = only(text, 'cmd')
    expect(command.form === 'exec' ? command.args.map(word => word.text) : command.text.text).toEqual(expected)
  })

  test('4.5 an array of something else', () => {
    expect(failure('FROM scratch\nCMD ["a", 1]')).toMatchObject({
      message: 'a JSON array here must hold strings only',
      words: '["a", 1]',
    })
  })

  test('4.5 words of a JSON array have their place, also with escapes', () => {
    const text = 'FROM scratch\nCOPY ["a\\u0041b", \\\n  "c d"]'
    const copy = parse(text).stages[0]?.instructions[0] as CopyInstruction
    expect(copy.sources).toMatchObject([{ path: { text: 'aAb' } }])
    expect(cut(text, copy.destination.span)).toBe('"c d"')
  })

  test('4.6 which instruction takes what', () => {
    expect(only('VOLUME ["/a b", "/c"]', 'volume').words.map(({ text }) => text)).toEqual(['/a b', '/c'])
    expect(only('VOLUME /a /c', 'volume').words.map(({ text }) => text)).toEqual(['/a', '/c'])
    expect(only('USER  a b ', 'user').value.text).toBe('a b')
    expect(only('EXPOSE 1  2', 'expose').words.map(({ text }) => text)).toEqual(['1', '2'])
    expect(only('SHELL ["a"]', 'shell').shell.map(({ text }) => text)).toEqual(['a'])
  })

  test('4.7 words keep quotes and escapes for the expansion', () => {
    const { pairs } = only(`ENV a="x y"z b=1\\ 2 c='d "e' "f g"=h`, 'env')
    expect(pairs.map(({ name, value }) => [name.text, value.text])).toEqual([
      ['a', '"x y"z'],
      ['b', '1\\ 2'],
      ['c', `'d "e'`],
      ['"f g"', 'h'],
    ])
    expect(failure('FROM scratch\nENV a=${x:?need it}')).toMatchObject({ words: 'it}' })
  })
})

describe('instructions', () => {
  test.each([
    ['ENV', 'ENV needs at least one pair'],
    ['ENV a', 'ENV needs a value for a'],
    ['ENV a=1 b', 'no = in "b"; it must be of the form NAME=value'],
    ['LABEL =x', 'LABEL names cannot be blank'],
    ['ARG', 'ARG needs a name'],
    ['ARG =x', 'ARG names cannot be blank'],
    ['RUN []', 'RUN needs a command'],
    ['RUN --network=hots x', 'unsupported value "hots"'],
    ['COPY a', 'COPY needs at least one source and a destination'],
    ['COPY ["a"]', 'COPY needs at least one source and a destination'],
    ['EXPOSE', 'EXPOSE needs a port'],
    ['VOLUME []', 'VOLUME needs a path'],
    ['VOLUME ["a", " "]', 'a VOLUME cannot be empty'],
    ['SHELL /bin/sh -c', 'SHELL needs a JSON array with at least one string'],
    ['SHELL []', 'SHELL needs a JSON array with at least one string'],
    ['USER', 'USER needs exactly one argument'],
    ['HEALTHCHECK', 'HEALTHCHECK needs an argument'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments and no flags'],
    ['HEALTHCHECK --retries=1 NONE', 'HEALTHCHECK NONE takes no arguments and no flags'],
    ['HEALTHCHECK RUN x', 'unknown type "RUN" in HEALTHCHECK'],
    ['HEALTHCHECK CMD', 'missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK CMD []', 'missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1 CMD x', '--interval needs a duration, not "1"'],
    ['HEALTHCHECK --interval=1us CMD x', '--interval cannot be less than 1ms'],
    ['HEALTHCHECK --retries=-1 CMD x', '--retries must be a whole number from 0 on, not "-1"'],
    ['ONBUILD', 'ONBUILD needs an instruction'],
    ['ONBUILD onbuild RUN x', 'ONBUILD cannot be chained'],
    ['ONBUILD FROM x', 'FROM is not allowed as an ONBUILD trigger'],
    ['ONBUILD MAINTAINER x', 'MAINTAINER is not allowed as an ONBUILD trigger'],
    ['ONBUILD COPY --x a b', 'unknown flag for COPY: --x'],
    ['FROM', 'FROM needs an image'],
    ['FROM a b', 'FROM takes either one or three words'],
    ['FROM a as b c', 'FROM takes either one or three words'],
    ['FROM a AS 1b', 'invalid name for build stage: "1b"'],
  ])('%s', (text, message) => {
    expect(failure(`FROM scratch\n${text}`).message).toBe(message)
  })

  test('7.1, 7.2 FROM with name and platform', () => {
    const { stages } = parse('FROM --platform=$BUILDPLATFORM Debian:x aS Ba-S_e.1\nFROM scratch')
    expect(stages.map(({ position, name }) => [position, name])).toEqual([
      [0, 'ba-s_e.1'],
      [1, undefined],
    ])
    expect(stages[0]?.from.platform?.text).toBe('$BUILDPLATFORM')
  })

  test('8.1 ARG with several names', () => {
    const { args } = only('ARG a b=1 c="x y" d=', 'arg')
    expect(args.map(({ name, value }) => [name.text, value?.text])).toEqual([
      ['a', undefined],
      ['b', '1'],
      ['c', '"x y"'],
      ['d', ''],
    ])
  })

  test('9.1 the old form of ENV and LABEL', () => {
    expect(only(`ENV m  'quoted  v' "x"`, 'env')).toMatchObject({
      legacy: true,
      pairs: [{ name: { text: 'm' }, value: { text: `'quoted  v' "x"` } }],
    })
  })

  test('9.6 HEALTHCHECK with everything', () => {
    const { check } = only(
      'HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0 --start-interval=2ms --retries=3 CMD ["a", "b"]',
      'healthcheck',
    )
    expect(check).toMatchObject({
      interval: 90e9,
      timeout: 1.5e9,
      startPeriod: 0,
      startInterval: 2e6,
      retries: 3,
      command: { form: 'exec' },
    })
    expect(only('HEALTHCHECK none', 'healthcheck').check).toBeUndefined()
  })

  test('9.11 ONBUILD stores the text as written, joined', () => {
    expect(only('ONBUILD   copy a \\\n  b', 'onbuild').stored).toBe('copy a   b')
    expect(only('ONBUILD COPY <<E /x\nhi\nE', 'onbuild').stored).toBe('COPY <<E /x\nhi\nE')
  })

  test('9.11 a stored trigger must be one instruction', () => {
    expect(parseTrigger({ name: 't', text: 'RUN x' }).kind).toBe('run')
    for (const text of ['RUN x\nRUN y', 'FROM x', 'ONBUILD RUN x', '']) {
      expect(() => parseTrigger({ name: 't', text })).toThrow(UserError)
    }
  })
})
