/** The build checks, by the names that BuildKit gives them (section 15.3 of the language page). */
export const checkNames = [
  'StageNameCasing',
  'FromAsCasing',
  'NoEmptyContinuation',
  'ConsistentInstructionCasing',
  'DuplicateStageName',
  'ReservedStageName',
  'JSONArgsRecommended',
  'MaintainerDeprecated',
  'UndefinedArgInFrom',
  'WorkdirRelativePath',
  'UndefinedVar',
  'MultipleInstructionsDisallowed',
  'LegacyKeyValueFormat',
  'InvalidBaseImagePlatform',
  'RedundantTargetPlatform',
  'SecretsUsedInArgOrEnv',
  'InvalidDefaultArgInFrom',
  'FromPlatformFlagConstDisallowed',
  'CopyIgnoredFile',
  'InvalidDefinitionDescription',
  'ExposeProtoCasing',
  'ExposeInvalidFormat',
] as const

export type CheckName = (typeof checkNames)[number]

/** Checks that are silent until `experimental=` names them. */
export const experimentalChecks: ReadonlySet<string> = new Set<CheckName>(['InvalidDefinitionDescription'])

/** Whether a warning comes from a build check: only those can be skipped. */
export function isCheckName(name: string): name is CheckName {
  return (checkNames as readonly string[]).includes(name)
}

/** The page that explains a check, below the repository's root. */
export function checkPage(name: CheckName): string {
  return `docs/checks/${name}.md`
}
