import { expandWord } from '#dockerfile'
import { UserError } from '#diagnostics'
import { parseReference, type Reference } from '#oci'
import type { RuleFinding, RuleSubject, StageView } from './rule-finding.ts'

/** Rules about FROM, USER and HEALTHCHECK. */
export function baseRules(subject: RuleSubject): readonly RuleFinding[] {
  const { stages } = subject
  const last = stages.at(-1)
  return [
    ...stages.flatMap(stage => checkFrom(subject, stage)),
    ...stages.flatMap(stage => checkUser(stage, stage === last)),
    ...(last ? checkHealth(last) : []),
  ]
}

/** The image that a stage starts from with defaults filled in; undefined for stages, scratch and what nobody can tell. */
export function baseOf(
  { tree, stages }: RuleSubject,
  { node }: StageView,
): { readonly reference: Reference; readonly text: string; readonly certain: boolean } | undefined {
  const defaults = new Map(
    tree.globalArgs.flatMap(({ args }) =>
      args.map(({ name, value }) => [name.text, value?.text.replace(/^["']|["']$/g, '')] as const),
    ),
  )
  try {
    const { value } = expandWord(node.from.image, name => defaults.get(name), tree)
    const isStage = stages.some(other => other.node.position < node.position && other.node.name === value.toLowerCase())
    if (value === 'scratch' || value === '' || isStage) return undefined
    const reference = parseReference(value)
    return { reference, text: value, certain: !node.from.image.text.includes('$') }
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

function checkFrom(subject: RuleSubject, stage: StageView): readonly RuleFinding[] {
  const base = baseOf(subject, stage)
  const { image } = stage.node.from
  if (!base) return []
  const { reference, text } = base
  const found: RuleFinding[] = []
  const written = /:[^/]+$|@/.test(text)
  if (!written) {
    found.push({
      code: 'TagMissing',
      message: `${text} has no tag: it is whatever "latest" is today`,
      hint: `write ${text}:VERSION, or ${text}@sha256:…`,
      span: image.span,
    })
  } else if (reference.tag === 'latest' && reference.digest === undefined) {
    found.push({
      code: 'TagLatest',
      message: `${text} is another image every few weeks`,
      hint: 'write a version, or add @sha256:…',
      span: image.span,
    })
  }
  const { trustedRegistries } = subject.settings
  if (trustedRegistries.length > 0 && !trustedRegistries.some(pattern => isRegistry(pattern, reference))) {
    found.push({
      code: 'TrustedRegistry',
      message: `${reference.domain} is not among the trusted registries`,
      hint: `trusted are ${trustedRegistries.join(', ')}`,
      span: image.span,
    })
  }
  return found
}

/** `docker.io` and `hub.docker.com` are the same; a pattern may name a path below a registry; `*` stands for anything. */
function isRegistry(pattern: string, { domain: registry, path: repository }: Reference): boolean {
  const plain = pattern.replace(/^hub\.docker\.com/, 'docker.io')
  const regular = new RegExp(`^${plain.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}(?:/|$)`)
  return regular.test(registry) || regular.test(`${registry}/${repository}`)
}

const isRoot = (user: string): boolean => /^["']?(?:root|0)(?::|["']?$)/.test(user)

function checkUser({ instructions, below, node }: StageView, isLast: boolean): readonly RuleFinding[] {
  const users = instructions.filter(({ kind }) => kind === 'user')
  const user = users.at(-1)
  if (user?.kind === 'user') {
    if (!isLast || !isRoot(user.value.text)) return []
    return [
      {
        code: 'LastUserRoot',
        message: 'the program runs as root, who may change everything in the container',
        hint: 'end with USER and an account that has only what the program needs',
        span: user.value.span,
      },
    ]
  }
  if (!isLast || below.some(stage => stage.instructions.some(({ kind }) => kind === 'user'))) return []
  const runs = instructions.some(({ kind }) => kind === 'cmd' || kind === 'entrypoint' || kind === 'run')
  if (!runs || /nonroot|:.*-rootless|distroless.*nonroot/.test(node.from.image.text)) return []
  return [
    {
      code: 'RootAtEnd',
      message: 'no USER: unless the base image has one, the program runs as root',
      hint: 'add USER with an account (RUN useradd -r app), or a number such as USER 65532',
      span: node.from.keyword.span,
    },
  ]
}

function checkHealth({ instructions, below, node }: StageView): readonly RuleFinding[] {
  const has = [...instructions, ...below.flatMap(stage => stage.instructions)].some(
    ({ kind }) => kind === 'healthcheck',
  )
  const serves = instructions.some(({ kind }) => kind === 'expose')
  if (has || !serves) return []
  return [
    {
      code: 'MissingHealthcheck',
      message: 'the image offers a port, but nothing tells whether it answers',
      hint: 'add HEALTHCHECK CMD …, or HEALTHCHECK NONE where the platform asks itself',
      span: node.from.keyword.span,
    },
  ]
}
