import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { parseDockerfile } from './parse-dockerfile.ts'
import type { CopyInstruction, Heredoc, Instruction } from './syntax-tree.ts'

const first = (text: string): Instruction | undefined =>
  parseDockerfile({ name: 'Dockerfile', text: `FROM scratch\n${text}` }).stages[0]?.instructions[0]

function heredocs(text: string): readonly Heredoc[] {
  const instruction = first(text)
  if (instruction?.kind === 'run') return instruction.heredocs
  if (instruction?.kind !== 'copy' && instruction?.kind !== 'add')
    throw new Error(`no heredocs in ${instruction?.kind}`)
  return instruction.sources.flatMap(source => (source.kind === 'heredoc' ? [source.heredoc] : []))
}

const shape = (text: string) => heredocs(text).map(({ name, expand, chomp, body }) => [name, expand, chomp, body.text])

describe('5 heredocs', () => {
  test.each([
    ['RUN <<EOF\na\nEOF', [['EOF', true, false, 'a\n']]],
    ['RUN <<-EOF\n\ta\n\tEOF', [['EOF', true, true, '\ta\n']]],
    ['RUN 3<<EOF cat\na\nEOF', [['EOF', true, false, 'a\n']]],
    ['RUN cat << EOF\na\nEOF', [['EOF', true, false, 'a\n']]],
    ['RUN cat <<- \tEOF\na\nEOF', [['EOF', true, true, 'a\n']]],
    [
      'RUN cat <<A && cat <<B\na\nA\nb\nB',
      [
        ['A', true, false, 'a\n'],
        ['B', true, false, 'b\n'],
      ],
    ],
    [
      'ADD <<A <<B /x/\na\nA\nb\nB',
      [
        ['A', true, false, 'a\n'],
        ['B', true, false, 'b\n'],
      ],
    ],
    ['RUN "<<EOF"', []],
    ["RUN '<<EOF'", []],
    ['RUN cat <<<EOF', []],
    ['RUN cat<<EOF', []],
    ['RUN ["a", "<<EOF"]', []],
    ['RUN echo $((1<<3)) <', []],
    ["RUN echo it's <<EOF", []],
    ['COPY ["<<EOF", "/x"]', []],
  ])('5.1, 5.2 %j', (text, expected) => {
    expect(shape(text)).toEqual(expected)
  })

  test.each([
    ["COPY <<eo'f' /x\na\neof", 'eof', false],
    ["COPY <<'one two' /x\na\none two", 'one two', false],
    ['COPY <<"E" /x\na\nE', 'E', false],
    ['COPY <<$E /x\na\n$E', '$E', true],
  ])('5.3 %j', (text, name, expand) => {
    expect(heredocs(text)).toMatchObject([{ name, expand }])
    expect((first(text) as CopyInstruction).destination.text).toBe('/x')
  })

  test('5.3 a delimiter with blanks between other sources', () => {
    const copy = first('COPY a <<"b c" d << E /x/\n1\nb c\n2\nE') as CopyInstruction
    expect(copy.sources.map(source => (source.kind === 'path' ? source.path.text : source.heredoc.name))).toEqual([
      'a',
      'd',
      'b c',
      'E',
    ])
  })

  test('5.4 bodies are raw: no comments, no continuation, CRLF stays', () => {
    expect(shape('RUN <<E\r\n# c\r\n a \\\r\n\r\nFROM x\r\nE\r\n')).toEqual([
      ['E', true, false, '# c\r\n a \\\r\n\r\nFROM x\r\n'],
    ])
    expect(shape('RUN <<E\nE')).toEqual([['E', true, false, '']])
  })

  test('5.4 only a line that equals the delimiter ends the body', () => {
    expect(shape('RUN <<E\n E\nE \n\tE\nE')).toEqual([['E', true, false, ' E\nE \n\tE\n']])
    expect(shape('RUN <<-E\n E\n\t\tE')).toEqual([['E', true, true, ' E\n']])
  })

  test('5.4 unterminated', () => {
    const text = 'FROM scratch\nRUN a <<EOF\nx\n'
    const error = (() => {
      try {
        parseDockerfile({ name: 'Dockerfile', text })
      } catch (thrown) {
        return thrown
      }
      return undefined
    })()
    expect(error).toBeInstanceOf(UserError)
    const { message, at } = error as UserError
    expect(message).toBe('unterminated heredoc: no line is "EOF"')
    expect(at && text.slice(at.span.start, at.span.end)).toBe('<<EOF')
  })

  test('5.6 a heredoc is no destination', () => {
    expect(() => first('COPY a <<E\nE')).toThrow('COPY cannot have a heredoc as its destination')
  })

  test('5.1 only RUN, COPY and ADD have them', () => {
    const tree = parseDockerfile({ name: 'Dockerfile', text: 'FROM scratch\nCMD cat <<EOF\nUSER x' })
    expect(tree.stages[0]?.instructions.map(({ kind }) => kind)).toEqual(['cmd', 'user'])
  })
})
