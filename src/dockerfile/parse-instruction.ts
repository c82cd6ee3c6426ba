import { nearest, type Source } from '#diagnostics'
import { type Draft, missingArgument, notStrings, parseCommand, parseWordList } from './draft.ts'
import { checkFlags, type FlagType } from './flag-values.ts'
import { parseJsonForm } from './json-form.ts'
import { splitKeyword } from './keyword.ts'
import { lexFlags } from './lex-flags.ts'
import type { LogicalLine } from './logical-lines.ts'
import { type MappedText, sliceText, spanOf, trimText } from './mapped-text.ts'
import { parseCopy } from './parse-copy.ts'
import { parseFrom } from './parse-from.ts'
import { parseHealthcheck } from './parse-healthcheck.ts'
import { parseKeyValues } from './parse-key-values.ts'
import { splitAtBlanks, splitQuotedWords, toWord } from './split-words.ts'
import { syntaxError } from './syntax-error.ts'
import type {
  ArgInstruction,
  EscapeCharacter,
  Instruction,
  OnbuildInstruction,
  RunInstruction,
  ShellInstruction,
  TextInstruction,
  WordsInstruction,
} from './syntax-tree.ts'

interface Form {
  readonly flags?: Readonly<Record<string, FlagType>>
  readonly parse: (draft: Draft) => Instruction
}

const copyFlags = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'list' } as const

const forms: Readonly<Record<string, Form>> = {
  ADD: {
    flags: { ...copyFlags, 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' },
    parse: draft => parseCopy(draft, 'add'),
  },
  ARG: { parse: parseArg },
  CMD: { parse: draft => ({ ...draft.base, kind: 'cmd', command: parseCommand(draft) }) },
  COPY: {
    flags: { from: 'text', ...copyFlags, parents: 'boolean' },
    parse: draft => parseCopy(draft, 'copy'),
  },
  ENTRYPOINT: { parse: draft => ({ ...draft.base, kind: 'entrypoint', command: parseCommand(draft) }) },
  ENV: { parse: draft => parseKeyValues(draft, 'env') },
  EXPOSE: { parse: parseExpose },
  FROM: { flags: { platform: 'text' }, parse: parseFrom },
  HEALTHCHECK: {
    flags: { interval: 'text', timeout: 'text', 'start-period': 'text', 'start-interval': 'text', retries: 'text' },
    parse: parseHealthcheck,
  },
  LABEL: { parse: draft => parseKeyValues(draft, 'label') },
  MAINTAINER: { parse: draft => parseText(draft, 'maintainer') },
  ONBUILD: { parse: parseOnbuild },
  RUN: { flags: { mount: 'list', network: 'text', security: 'text', device: 'list' }, parse: parseRun },
  SHELL: { parse: parseShell },
  STOPSIGNAL: { parse: draft => parseText(draft, 'stopsignal') },
  USER: { parse: draft => parseText(draft, 'user') },
  VOLUME: { parse: parseVolume },
  WORKDIR: { parse: draft => parseText(draft, 'workdir') },
}

/** One joined line → one instruction. Throws a `UserError` at the exact words. */
export function parseInstruction(
  source: Source,
  line: LogicalLine,
  { escape, text = line.text }: { readonly escape: EscapeCharacter; readonly text?: MappedText },
): Instruction {
  const { keyword, rest } = splitKeyword(text)
  const name = keyword.text.toUpperCase()
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  if (!form) throw unknownInstruction(source, keyword)
  const { flags, rest: argument } = lexFlags(rest, escape)
  const base = {
    keyword: toWord(keyword),
    span: text === line.text ? line.span : { start: spanOf(keyword).start, end: line.span.end },
    text,
    flags,
    comments: line.comments,
    blankContinuations: line.blankContinuations,
  }
  const checked = checkFlags(source, { instruction: name, flags, types: form.flags ?? {} })
  return form.parse({ source, escape, line, name, base, flags: checked, argument, heredocs: line.heredocs })
}

function unknownInstruction(source: Source, keyword: MappedText): Error {
  if (keyword.text === '') {
    return syntaxError(source, spanOf(keyword), {
      message: 'a continuation without an instruction',
      hint: 'remove the line or put an instruction on it',
    })
  }
  const near = nearest(keyword.text, Object.keys(forms))
  return syntaxError(source, spanOf(keyword), {
    message: `unknown instruction: ${keyword.text}`,
    hint: near === undefined ? `instructions are ${Object.keys(forms).join(', ')}` : `did you mean ${near}?`,
  })
}

function parseRun(draft: Draft): RunInstruction {
  const { flags } = draft
  const command = parseCommand(draft)
  // An empty shell form is legal: the shell is given an empty text.
  if (command.form === 'exec' && command.args.length === 0) {
    throw missingArgument(draft, 'RUN needs a command', 'write RUN command or RUN ["program", "argument"]')
  }
  const network = flags.text('network')
  const security = flags.text('security')
  return {
    ...draft.base,
    kind: 'run',
    command,
    heredocs: draft.heredocs.map(({ name, span, expand, chomp, body }) => ({ name, span, expand, chomp, body })),
    mounts: flags.list('mount'),
    devices: flags.list('device'),
    ...(network && { network: oneOf(draft, network, ['default', 'none', 'host']) }),
    ...(security && { security: oneOf(draft, security, ['sandbox', 'insecure']) }),
  }
}

function oneOf<W extends MappedText>(draft: Draft, word: W, known: readonly string[]): W {
  if (known.includes(word.text)) return word
  const near = nearest(word.text, known)
  throw syntaxError(draft.source, spanOf(word), {
    message: `unsupported value ${JSON.stringify(word.text)}`,
    hint: near === undefined ? `one of ${known.join(', ')}` : `did you mean ${near}?`,
  })
}

function parseArg(draft: Draft): ArgInstruction {
  const words = splitQuotedWords(draft.argument, draft.escape)
  if (words.length === 0) throw missingArgument(draft, 'ARG needs a name', 'write ARG NAME or ARG NAME=default')
  const args = words.map(word => {
    const equals = word.text.indexOf('=')
    const name = toWord(sliceText(word, 0, equals === -1 ? undefined : equals))
    if (name.text === '') {
      throw syntaxError(draft.source, word.span, {
        message: 'ARG names cannot be blank',
        hint: 'write ARG NAME=default',
      })
    }
    return { name, span: word.span, ...(equals !== -1 && { value: toWord(sliceText(word, equals + 1)) }) }
  })
  return { ...draft.base, kind: 'arg', args }
}

function parseText(draft: Draft, kind: TextInstruction['kind']): TextInstruction {
  if (draft.argument.text === '') {
    throw missingArgument(draft, `${draft.name} needs exactly one argument`, `write ${draft.name} VALUE`)
  }
  return { ...draft.base, kind, value: toWord(draft.argument) }
}

function parseExpose(draft: Draft): WordsInstruction {
  const words = splitAtBlanks(draft.argument)
  if (words.length === 0) throw missingArgument(draft, 'EXPOSE needs a port', 'write EXPOSE 8080 or EXPOSE 53/udp')
  return { ...draft.base, kind: 'expose', words }
}

function parseVolume(draft: Draft): WordsInstruction {
  const words = parseWordList(draft)
  if (words.length === 0) throw missingArgument(draft, 'VOLUME needs a path', 'write VOLUME /data')
  const empty = words.find(word => word.text.trim() === '')
  if (empty) {
    throw syntaxError(draft.source, empty.span, { message: 'a VOLUME cannot be empty', hint: 'write VOLUME ["/data"]' })
  }
  return { ...draft.base, kind: 'volume', words }
}

function parseShell(draft: Draft): ShellInstruction {
  const form = parseJsonForm(draft.argument)
  if (form.kind === 'not-strings') throw notStrings(draft, draft.argument)
  if (form.kind === 'array' && form.words.length > 0) return { ...draft.base, kind: 'shell', shell: form.words }
  throw syntaxError(draft.source, draft.argument.text === '' ? draft.base.keyword.span : spanOf(draft.argument), {
    message: 'SHELL needs a JSON array with at least one string',
    hint: 'write SHELL ["/bin/bash", "-c"]',
  })
}

const forbiddenTriggers: Readonly<Record<string, string>> = {
  ONBUILD: 'ONBUILD cannot be chained',
  FROM: 'FROM is not allowed as an ONBUILD trigger',
  MAINTAINER: 'MAINTAINER is not allowed as an ONBUILD trigger',
}

function parseOnbuild(draft: Draft): OnbuildInstruction {
  const { argument, source, line } = draft
  if (argument.text === '') throw missingArgument(draft, 'ONBUILD needs an instruction', 'write ONBUILD RUN command')
  const { keyword } = splitKeyword(argument)
  const name = keyword.text.toUpperCase()
  const forbidden = Object.hasOwn(forbiddenTriggers, name) ? forbiddenTriggers[name] : undefined
  if (forbidden !== undefined) {
    throw syntaxError(source, spanOf(keyword), { message: forbidden, hint: 'use another instruction as the trigger' })
  }
  const trigger = parseInstruction(source, line, { escape: draft.escape, text: trimText(argument) })
  if (trigger.kind === 'from' || trigger.kind === 'onbuild') throw new Error('not a trigger')
  const text = line.text.text.replace(/^\s*ONBUILD\s*/i, '')
  const stored = [text, ...line.heredocs.map(({ body, name: end }) => `\n${body.text}${end}`)].join('')
  return { ...draft.base, kind: 'onbuild', stored, trigger }
}
