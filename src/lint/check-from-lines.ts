import { UserError } from '#diagnostics'
import { type DockerfileTree, expandWord, type FromInstruction, type MappedText, type StageNode } from '#dockerfile'
import { parsePlatform, parseReference, type Platform } from '#oci'
import { isLower, isUpper } from './check-casing.ts'
import type { Finding, Subject } from './finding.ts'

/** The checks of stage names and FROM lines: always of the whole file. */
export function checkFromLines({ tree }: Subject): readonly Finding[] {
  const defaults = defaultArguments(tree)
  const names = new Set<string>()
  return tree.stages.flatMap(stage => {
    const findings = [
      ...checkName(stage, names),
      ...checkAs(stage.from),
      ...checkPlatform(tree, stage),
      ...checkDefaults(tree, stage.from, { defaults, names }),
    ]
    if (stage.name !== undefined) names.add(stage.name)
    return findings
  })
}

/** `names`: of the stages above. */
function checkName({ name, from }: StageNode, names: ReadonlySet<string>): readonly Finding[] {
  const word = from.name
  if (!word || name === undefined) return []
  const findings: Finding[] = []
  if (word.text !== name) {
    findings.push({
      code: 'StageNameCasing',
      message: `the stage name ${word.text} should be in lower case`,
      hint: `write ${name}; FROM ${word.text} would not find this stage`,
      span: word.span,
    })
  }
  if (name === 'scratch' || name === 'context') {
    findings.push({
      code: 'ReservedStageName',
      message: `the stage name ${name} is reserved`,
      hint: name === 'scratch' ? 'choose another: FROM scratch would mean this stage' : 'choose another',
      span: word.span,
    })
  }
  if (names.has(name)) {
    findings.push({
      code: 'DuplicateStageName',
      message: `the stage name ${name} is used before`,
      hint: 'give every stage its own name: references get the latest stage above them',
      span: word.span,
    })
  }
  return findings
}

/** A keyword in mixed case is told by ConsistentInstructionCasing. */
function checkAs({ keyword, as }: FromInstruction): readonly Finding[] {
  if (!as || (isLower(keyword) ? isLower(as) : !isUpper(keyword) || isUpper(as))) return []
  return [
    {
      code: 'FromAsCasing',
      message: `${as.text} is not written like ${keyword.text}`,
      hint: `write ${isLower(keyword) ? 'as' : 'AS'}`,
      span: as.span,
    },
  ]
}

function checkPlatform(tree: DockerfileTree, { name, from }: StageNode): readonly Finding[] {
  const { platform } = from
  if (!platform) return []
  if (/^\$(TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform.text)) {
    return [
      {
        code: 'RedundantTargetPlatform',
        message: `--platform=${platform.text} is what FROM does anyway`,
        hint: 'remove the flag',
        span: platform.span,
      },
    ]
  }
  const constant = constantPlatform(tree, platform)
  if (!constant || name?.includes(constant.os) || name?.includes(constant.architecture)) return []
  return [
    {
      code: 'FromPlatformFlagConstDisallowed',
      message: `--platform has the constant value ${platform.text}`,
      hint: 'write --platform=$BUILDPLATFORM or leave it out; else name the stage after the platform',
      span: platform.span,
    },
  ]
}

/** A platform without variables; undefined when it is none, which planning says. */
function constantPlatform({ source, escape }: DockerfileTree, word: MappedText): Platform | undefined {
  if (word.text.includes('$')) return undefined
  return attempt(() => parsePlatform(expandWord(word, () => undefined, { source, escape }).value))
}

/** What global arguments amount to when nobody gives any. */
function defaultArguments({ source, escape, globalArgs }: DockerfileTree): ReadonlyMap<string, string> {
  const values = new Map<string, string>([
    ...['BUILD', 'TARGET'].flatMap(
      prefix =>
        [
          [`${prefix}PLATFORM`, 'linux/amd64'],
          [`${prefix}OS`, 'linux'],
          [`${prefix}OSVERSION`, ''],
          [`${prefix}ARCH`, 'amd64'],
          [`${prefix}VARIANT`, ''],
        ] as const,
    ),
    ['TARGETSTAGE', 'default'] as const,
  ])
  const read = (word: MappedText): string | undefined =>
    attempt(() => expandWord(word, name => values.get(name), { source, escape }).value)
  for (const { name, value } of globalArgs.flatMap(({ args }) => args)) {
    const key = read(name)
    const text = value && read(value)
    if (key !== undefined && text !== undefined) values.set(key, text)
  }
  return values
}

function checkDefaults(
  { source, escape }: DockerfileTree,
  { image }: FromInstruction,
  { defaults, names }: { readonly defaults: ReadonlyMap<string, string>; readonly names: ReadonlySet<string> },
): readonly Finding[] {
  if (!image.text.includes('$')) return []
  const valid = attempt(() => {
    const base = expandWord(image, name => defaults.get(name), { source, escape }).value
    return names.has(base) || base === 'scratch' || parseReference(base) !== undefined
  })
  if (valid) return []
  return [
    {
      code: 'InvalidDefaultArgInFrom',
      message: `without --build-arg, ${image.text} is an empty or invalid image name`,
      hint: 'give the ARG before the first FROM a default that makes a valid name',
      span: image.span,
    },
  ]
}

/** What a check of another room gives; undefined where it throws a `UserError`. */
function attempt<T>(check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
