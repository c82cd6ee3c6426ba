import { mapText, type MappedText, type RunInstruction, sliceText } from '#dockerfile'
import { parseShell } from './parse-shell.ts'
import type { ShellCommand, ShellWord } from './shell-command.ts'

const shells = /^(?:.*\/)?(?:sh|bash|ash|dash|zsh|ksh)$/

/**
 * The commands that a RUN executes: of its line, and of heredocs that a shell reads. An exec form is one command, or the
 * script behind `sh -c`. A heredoc for another program (`python3 <<EOF`, or `#!/usr/bin/python`) is no shell text.
 */
export function commandsOf({
  command,
  heredocs,
}: Pick<RunInstruction, 'command' | 'heredocs'>): readonly ShellCommand[] {
  if (command.form === 'exec') return ofExecForm(command.args)
  const line = command.text
  const [first] = heredocs
  if (!first) return parseShell(line)
  if (/^\s*\d*<<-?\s*["']?[^\s"'<>|&;]+["']?\s*$/.test(line.text)) return ofScript(first.body)
  const own = parseShell(line)
  const reads = own.find(({ name }) => shells.test(name))
  return reads ? [...own, ...heredocs.flatMap(({ body }) => ofScript(body))] : own
}

function ofScript(body: MappedText): readonly ShellCommand[] {
  const shebang = /^#!\s*(\S+)(?:\s+(\S+))?[^\n]*\n/.exec(body.text)
  if (!shebang) return parseShell(body)
  const program = shebang[1]?.endsWith('/env') ? (shebang[2] ?? '') : (shebang[1] ?? '')
  return shells.test(program) ? parseShell(sliceText(body, shebang[0].length)) : []
}

function ofExecForm(args: readonly (MappedText & { readonly span: ShellWord['span'] })[]): readonly ShellCommand[] {
  const [first] = args
  if (!first) return []
  const script = args[2]
  if (shells.test(first.text) && /^-\w*c$/.test(args[1]?.text ?? '') && script) {
    // Quotes of JSON may have gone: places inside are then a little off, but inside the word.
    return parseShell(script.runs.length > 0 ? script : mapText(script.text, script.span.start))
  }
  const words = args.map(({ text, span }): ShellWord => ({ text, span, quoted: true, variable: false }))
  const [program, ...rest] = words as [ShellWord, ...ShellWord[]]
  return [
    {
      name: program.text.replace(/^.*\//, ''),
      program,
      args: rest,
      before: [],
      redirections: [],
      span: { start: program.span.start, end: (words.at(-1) ?? program).span.end },
      joint: '',
      depth: 0,
      list: 0,
    },
  ]
}
