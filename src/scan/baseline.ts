import { UserError } from '#diagnostics'
import type { SecretFinding } from './finding.ts'

/** Findings that were looked at and are meant: by fingerprint, each as often as it was there. */
export interface Baseline {
  readonly fingerprints: ReadonlySet<string>
  /** Patterns of paths, and rules, that are let through whole. */
  readonly allow: readonly { readonly rule?: string; readonly path?: string }[]
}

/**
 * Reads a baseline: `{"version": 1, "findings": [{"fingerprint": …}], "allow": [{"rule": …, "path": …}]}`; `*` in a path
 * stands for anything. Throws a `UserError` for anything else.
 */
export function parseBaseline(text: string, name: string): Baseline {
  const wrong = (why: string): UserError =>
    new UserError(`${name} is no baseline: ${why}`, { hint: 'make one with slipway scan --write-baseline FILE' })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : 'no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('not an object')
  const { version, findings = [], allow = [] } = value as { version?: unknown; findings?: unknown; allow?: unknown }
  if (version !== 1) throw wrong('its version is not 1')
  if (!Array.isArray(findings) || !Array.isArray(allow)) throw wrong('findings and allow must be lists')
  return {
    fingerprints: new Set(
      findings.map(each => (each as { fingerprint?: unknown }).fingerprint).filter(each => typeof each === 'string'),
    ),
    allow: allow.map(each => {
      const { rule, path } = each as { rule?: unknown; path?: unknown }
      if (typeof rule !== 'string' && typeof path !== 'string')
        throw wrong('an entry of allow has neither rule nor path')
      return { ...(typeof rule === 'string' && { rule }), ...(typeof path === 'string' && { path }) }
    }),
  }
}

/** The findings that the baseline does not let through. */
export function beyondBaseline(findings: readonly SecretFinding[], baseline: Baseline): readonly SecretFinding[] {
  const patterns = baseline.allow.map(({ rule, path }) => ({
    rule,
    path: path === undefined ? undefined : globOf(path),
  }))
  return findings.filter(
    ({ fingerprint, rule, place }) =>
      !baseline.fingerprints.has(fingerprint) &&
      !patterns.some(
        allowed =>
          (allowed.rule === undefined || allowed.rule === rule) &&
          (allowed.path === undefined || (place.kind === 'file' && allowed.path.test(place.path))),
      ),
  )
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .replace(/^\//, '')
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
  return new RegExp(`^${source}$`)
}

/** A baseline that lets all of these through. */
export function baselineOf(findings: readonly SecretFinding[]): string {
  const list = findings.map(({ fingerprint, rule, place }) => ({
    fingerprint,
    rule,
    ...(place.kind === 'file' ? { path: place.path } : { where: place.kind }),
  }))
  return `${JSON.stringify({ version: 1, findings: list, allow: [] }, undefined, 2)}\n`
}
