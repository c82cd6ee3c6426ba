import { expandWord, type TriggerInstruction } from '#dockerfile'
import { UserError } from '#diagnostics'
import { scanString } from '#secrets'
import type { LabelType, RuleFinding, RuleSubject } from './rule-finding.ts'

/** Rules about ENV, ARG, EXPOSE, LABEL, and secrets anywhere in the text. */
export function settingRules(subject: RuleSubject): readonly RuleFinding[] {
  const instructions = subject.stages.flatMap(stage => stage.instructions)
  return [
    ...instructions.flatMap(each => [...checkEnv(each), ...checkPorts(each, subject), ...checkLabelKeys(each)]),
    ...checkLabelSchema(subject),
    ...checkSecrets(subject),
  ]
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/s, '$2')

function checkEnv(instruction: TriggerInstruction): readonly RuleFinding[] {
  if (instruction.kind !== 'env') return []
  const names = instruction.pairs.map(({ name }) => name.text)
  const out: RuleFinding[] = instruction.pairs.flatMap(({ value }) => {
    const uses = Array.from(value.text.matchAll(/\$(?:(\w+)|\{([^}:]+)[}:])/g), ([, bare, braced]) => bare ?? braced)
    const used = names.find(name => uses.includes(name))
    // A variable that only adds to itself (PATH=$PATH:/x) means what it held before.
    const own = instruction.pairs.find(pair => pair.value === value)?.name.text
    if (used === undefined || used === own) return []
    return [
      {
        code: 'EnvSelfReference',
        message: `$${used} is not yet what this ENV sets: it is what it was before`,
        hint: 'write two ENV instructions',
        span: value.span,
      } satisfies RuleFinding,
    ]
  })
  const frontend = instruction.pairs.find(({ name }) => name.text === 'DEBIAN_FRONTEND')
  if (frontend) {
    out.push({
      code: 'DebianFrontendEnv',
      message: 'the variable stays in the image, and surprises whoever installs something in it',
      hint: 'write ARG DEBIAN_FRONTEND=noninteractive, or put it before the command',
      span: frontend.span,
    })
  }
  return out
}

function checkPorts(instruction: TriggerInstruction, { tree }: RuleSubject): readonly RuleFinding[] {
  if (instruction.kind !== 'expose') return []
  return instruction.words.flatMap(word => {
    let text = ''
    try {
      const { value, undefinedNames } = expandWord(word, () => undefined, tree)
      text = undefinedNames.length > 0 ? '' : value
    } catch (error) {
      if (!(error instanceof UserError)) throw error
    }
    const ports = /^(\d+)(?:-(\d+))?(?:\/\w+)?$/.exec(text)
    const wrong = ports && [ports[1], ports[2]].some(port => port !== undefined && Number(port) > 65_535)
    if (!wrong) return []
    return [
      {
        code: 'ExposePortRange',
        message: `${word.text} is no port: they end at 65535`,
        hint: 'write a number from 0 to 65535',
        span: word.span,
      } satisfies RuleFinding,
    ]
  })
}

/** Docker's guideline: lower case, digits, `.`, `-`, `_` and `/` for prefixes; reserved name spaces. */
function checkLabelKeys(instruction: TriggerInstruction): readonly RuleFinding[] {
  if (instruction.kind !== 'label') return []
  return instruction.pairs.flatMap(({ name }) => {
    const key = unquoted(name.text)
    const reserved = /^(?:com\.docker|io\.docker|org\.dockerproject)\./.test(key)
    if (/^\$|\$\{/.test(key) || (!reserved && /^[a-z](?:[a-z0-9/_]|[.-](?![.-]))*[a-z0-9]$|^[a-z]$/.test(key)))
      return []
    return [
      {
        code: 'LabelKey',
        message: reserved
          ? `${key} is in a name space that Docker keeps for itself`
          : `${key} is not a label name as tools expect them`,
        hint: 'use lower case, digits, ".", "-", and your domain in front: com.example.name',
        span: name.span,
      } satisfies RuleFinding,
    ]
  })
}

const forms: Readonly<Record<LabelType, RegExp>> = {
  text: /./s,
  url: /^[a-z][a-z0-9+.-]*:\/\/\S+$/i,
  rfc3339: /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/,
  spdx: /^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+()-]+)*$/,
  hash: /^[0-9a-f]{7}$|^[0-9a-f]{40}$/,
  semver: /^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/,
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
}

function checkLabelSchema({ stages, settings }: RuleSubject): readonly RuleFinding[] {
  const { labelSchema, strictLabels } = settings
  const last = stages.at(-1)
  if (!last || (labelSchema.size === 0 && !strictLabels)) return []
  const pairs = [last, ...last.below]
    .flatMap(({ instructions }) => instructions)
    .flatMap(each => (each.kind === 'label' ? each.pairs : []))
  const given = new Map(pairs.map(({ name, value, span }) => [unquoted(name.text), { value, span }]))
  const missing = [...labelSchema.keys()]
    .filter(name => !given.has(name))
    .map(
      (name): RuleFinding => ({
        code: 'LabelMissing',
        message: `the label ${name} is missing`,
        hint: `add LABEL ${name}=…`,
        span: last.node.from.keyword.span,
      }),
    )
  return [
    ...missing,
    ...[...given].flatMap(([name, { value, span }]): readonly RuleFinding[] => {
      const type = labelSchema.get(name)
      if (type === undefined)
        return strictLabels
          ? [
              {
                code: 'LabelSuperfluous',
                message: `the settings do not know the label ${name}`,
                hint: 'leave it out, or add it to label-schema',
                span,
              },
            ]
          : []
      const text = unquoted(value.text)
      if (text.includes('$') || forms[type].test(text)) return []
      return [
        {
          code: 'LabelInvalid',
          message: text === '' ? `the label ${name} is empty` : `the label ${name} is no ${type}`,
          hint: `label-schema says: ${type}`,
          span: value.span,
        },
      ]
    }),
  ]
}

/** Names that planning hides in keys; here the values count. One finding for each secret, at its words. */
function checkSecrets({ tree }: RuleSubject): readonly RuleFinding[] {
  return scanString(tree.source.text).map(({ title, masked, start, end }) => ({
    code: 'SecretInText',
    message: `${title}: ${masked}`,
    hint: 'revoke it, then use RUN --mount=type=secret; what stands in the file is in the history of every image',
    span: { start, end },
  }))
}
