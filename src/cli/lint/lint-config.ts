import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UserError } from '#diagnostics'
import type { LabelType, LintSettings, LintSeverity } from '#lint'
import type { CliContext } from '../context.ts'

/** What a settings file says. */
export interface LintConfig
  extends Pick<
    LintSettings,
    'ignored' | 'severities' | 'trustedRegistries' | 'labelSchema' | 'strictLabels' | 'withoutPragmas'
  > {
  readonly failOn?: LintSeverity | 'never'
}

const names = ['.slipway-lint.yaml', '.slipway-lint.yml', '.hadolint.yaml', '.hadolint.yml']
const severities = ['error', 'warning', 'info', 'style', 'never'] as const
const labelTypes = ['text', 'url', 'rfc3339', 'spdx', 'hash', 'semver', 'email'] as const

/** Keys that hadolint has and that are the command line's here. */
const silentKeys = ['format', 'no-color', 'disable-ignore-pragma', 'verbose', 'no-fail']

/**
 * Reads the settings file that is named, or the first one from the directory upwards; undefined when there is none. Keys are
 * ours (kebab-case) and hadolint's. Throws a `UserError` for what it does not understand.
 */
export async function readLintConfig(given: string | undefined, context: CliContext): Promise<LintConfig | undefined> {
  const path = given === undefined ? find(context.directory) : resolve(context.directory, given)
  if (path === undefined) return undefined
  if (!existsSync(path)) throw new UserError(`there is no file ${JSON.stringify(given)}`, { hint: 'check --config' })
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw wrong(path, error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'no YAML')
  }
  if (value === null || value === undefined) return emptyConfig
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(path, 'it is no list of settings')
  return Object.entries(value).reduce(
    (config, [key, each]) => ({ ...config, ...setting(key, each, path) }),
    emptyConfig,
  )
}

const emptyConfig: LintConfig = {
  ignored: new Set(),
  severities: new Map(),
  trustedRegistries: [],
  labelSchema: new Map(),
  strictLabels: false,
  withoutPragmas: false,
}

function find(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const found = names.map(name => join(at, name)).find(path => existsSync(path))
    if (found !== undefined || at === dirname(at)) return found
  }
}

function setting(key: string, value: unknown, path: string): Partial<LintConfig> {
  switch (key) {
    case 'ignored':
    case 'ignore':
      return { ignored: new Set(texts(value, key, path)) }
    case 'trustedRegistries':
    case 'trusted-registries':
      return { trustedRegistries: texts(value, key, path) }
    case 'override':
      return { severities: overrides(value, path) }
    case 'failure-threshold':
    case 'fail-on': {
      const found = severities.find(
        each => each === value || (value === 'none' && each === 'never') || (value === 'ignore' && each === 'never'),
      )
      if (!found) throw wrong(path, `${key} is one of ${severities.join(', ')}`)
      return { failOn: found }
    }
    case 'no-fail':
      return value === true ? { failOn: 'never' } : {}
    case 'disable-ignore-pragma':
      return { withoutPragmas: value === true }
    case 'label-schema':
    case 'labelSchema':
      return { labelSchema: schema(value, path) }
    case 'strict-labels':
    case 'strictLabels':
      return { strictLabels: value === true }
    default:
      if (silentKeys.includes(key)) return {}
      throw wrong(path, `there is no setting ${JSON.stringify(key)}`)
  }
}

function texts(value: unknown, key: string, path: string): readonly string[] {
  if (Array.isArray(value) && value.every(each => typeof each === 'string')) return value
  throw wrong(path, `${key} is a list of names`)
}

function overrides(value: unknown, path: string): ReadonlyMap<string, LintSeverity> {
  if (typeof value !== 'object' || value === null)
    throw wrong(path, 'override is error, warning, info or style with lists of rules')
  return new Map(
    Object.entries(value).flatMap(([severity, rules]) => {
      const found = severities.find((each): each is LintSeverity => each === severity && each !== 'never')
      if (!found) throw wrong(path, `override has no severity ${JSON.stringify(severity)}`)
      return texts(rules, `override.${severity}`, path).map(rule => [rule, found] as const)
    }),
  )
}

function schema(value: unknown, path: string): ReadonlyMap<string, LabelType> {
  if (typeof value !== 'object' || value === null)
    throw wrong(path, 'label-schema is a list of labels with their types')
  return new Map(
    Object.entries(value).map(([label, type]) => {
      const found = labelTypes.find(each => each === type)
      if (!found) throw wrong(path, `the type of label ${label} is one of ${labelTypes.join(', ')}`)
      return [label, found] as const
    }),
  )
}

function wrong(path: string, why: string): UserError {
  return new UserError(`${path}: ${why}`, { hint: 'docs/lint.md lists the settings' })
}
