import {
  type ArgInstruction,
  expandWord,
  type Instruction,
  isSecretName,
  type KeyValuesInstruction,
  spanOf,
  type WordsInstruction,
} from '#dockerfile'
import { UserError } from '#diagnostics'
import type { Finding, Subject } from './finding.ts'

/** The checks that need one instruction only. How something is written is looked at in all stages. */
export function checkInstructions(subject: Subject): readonly Finding[] {
  const { tree, stages } = subject
  const all = [...tree.globalArgs, ...tree.stages.flatMap(({ from, instructions }) => [from, ...instructions])]
  const reached = [...tree.globalArgs, ...stages.flatMap(({ instructions }) => instructions)].map(triggered)
  return [
    ...all.flatMap(checkContinuation),
    ...all.map(triggered).flatMap(checkForm),
    ...reached.flatMap(instruction => checkMeaning(subject, instruction)),
  ]
}

/** ONBUILD is as good as what it stores. */
function triggered(instruction: Instruction): Instruction {
  return instruction.kind === 'onbuild' ? instruction.trigger : instruction
}

function checkContinuation({ blankContinuations, span: { start } }: Instruction): readonly Finding[] {
  const [first] = blankContinuations
  if (!first) return []
  return [
    {
      code: 'NoEmptyContinuation',
      message: 'an empty line inside a continued instruction',
      hint: 'remove the line, or write # in it',
      span: first,
      owner: start,
    },
  ]
}

function checkForm(instruction: Instruction): readonly Finding[] {
  if (instruction.kind === 'maintainer') {
    return [
      {
        code: 'MaintainerDeprecated',
        message: 'MAINTAINER is deprecated',
        hint: 'write LABEL org.opencontainers.image.authors="name"',
        span: instruction.keyword.span,
      },
    ]
  }
  return instruction.kind === 'env' || instruction.kind === 'label' ? checkLegacy(instruction) : []
}

function checkLegacy({ kind, legacy, pairs }: KeyValuesInstruction): readonly Finding[] {
  const [pair] = pairs
  if (!legacy || !pair) return []
  const keyword = kind.toUpperCase()
  return [
    {
      code: 'LegacyKeyValueFormat',
      message: `${keyword} is written in the old form, without =`,
      hint: `write ${keyword} ${pair.name.text}=value, with quotes around a value that has blanks`,
      span: pair.span,
    },
  ]
}

function checkMeaning(subject: Subject, instruction: Instruction): readonly Finding[] {
  switch (instruction.kind) {
    case 'arg':
      return checkSecrets('ARG', instruction.args)
    case 'env':
      return checkSecrets('ENV', instruction.pairs)
    case 'expose':
      return checkExpose(subject, instruction)
    default:
      return []
  }
}

function checkSecrets(
  keyword: string,
  pairs: ArgInstruction['args'] | KeyValuesInstruction['pairs'],
): readonly Finding[] {
  return pairs
    .filter(({ name }) => isSecretName(name.text))
    .map(({ name }) => ({
      code: 'SecretsUsedInArgOrEnv',
      message: `${keyword} ${name.text} looks like a secret: everybody who has the image can read it`,
      hint: `use RUN --mount=type=secret,id=${name.text},env=${name.text} and build with --secret id=${name.text},env=${name.text}`,
      span: name.span,
    }))
}

function checkExpose({ tree }: Subject, { words }: WordsInstruction): readonly Finding[] {
  return words.flatMap(word => {
    const text = plainText(tree, word)
    const findings: Finding[] = []
    if (text.includes(':')) {
      findings.push({
        code: 'ExposeInvalidFormat',
        message: `EXPOSE takes no address and no port of the host: ${word.text}`,
        hint: `write ${text.slice(text.lastIndexOf(':') + 1)}; the host's part belongs to the command that runs the image`,
        span: word.span,
      })
    }
    const protocol = /\/([a-z]*[A-Z][A-Za-z]*)(?=["']?$)/.exec(word.text)
    if (protocol?.[1] !== undefined) {
      const start = protocol.index + 1
      findings.push({
        code: 'ExposeProtoCasing',
        message: `the protocol ${protocol[1]} should be in lower case`,
        hint: `write ${protocol[1].toLowerCase()}`,
        span: spanOf(word, start, start + protocol[1].length),
      })
    }
    return findings
  })
}

/** The word without quotes, with 0 for every variable; as written when it is wrong, which planning says. */
function plainText({ source, escape }: Subject['tree'], word: WordsInstruction['words'][number]): string {
  try {
    return expandWord(word, () => '0', { source, escape }).value
  } catch (error) {
    if (error instanceof UserError) return word.text
    throw error
  }
}
