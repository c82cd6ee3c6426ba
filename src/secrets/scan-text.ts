import { addressRules } from './address-rules.ts'
import { type AnchorSearch, anchorSearch } from './anchors.ts'
import { assignmentRules } from './assignment-rules.ts'
import { commandRules } from './command-rules.ts'
import { fileRules } from './file-rules.ts'
import type { SecretHit } from './finding.ts'
import { isLockFile, isPackagedExample, isPackagedProgram, isProse } from './harmless-path.ts'
import { keyRules } from './key-rules.ts'
import { fingerprintOf, maskValue } from './mask.ts'
import { type RuleMatch, ruleMatcher } from './match-rule.ts'
import { bareSecret } from './bare-file.ts'
import type { Rule } from './rule.ts'
import { tokenRules } from './token-rules.ts'

/** All rules; where two find the same bytes, the first one counts. */
export const secretRules: readonly Rule[] = [
  ...keyRules,
  ...tokenRules,
  ...fileRules,
  ...addressRules,
  ...commandRules,
  ...assignmentRules,
]

/** Rules, and the search for their literals. */
interface Ruled {
  readonly search: AnchorSearch
  readonly literals: readonly string[]
  /** By literal: rank and rule. */
  readonly rulesOf: readonly (readonly (readonly [rank: number, rule: Rule])[])[]
}

function ruled(rules: readonly (readonly [rank: number, rule: Rule])[]): Ruled {
  /** As they are where the rule wants them so, in lower case else. */
  const literalOf = ({ fixed }: Rule, anchor: string): string => (fixed ? anchor : anchor.toLowerCase())
  const byLiteral = new Map<string, [number, Rule][]>()
  for (const [rank, rule] of rules) {
    for (const literal of new Set(rule.anchors.map(anchor => literalOf(rule, anchor))))
      byLiteral.set(literal, [...(byLiteral.get(literal) ?? []), [rank, rule]])
  }
  const literals = [...byLiteral.keys()]
  const exact = new Set(literals.filter(literal => byLiteral.get(literal)?.every(([, { fixed }]) => fixed)))
  return { search: anchorSearch(literals, exact), literals, rulesOf: [...byLiteral.values()] }
}

const ranked = [...secretRules.entries()]
let allRules: Ruled | undefined
/** Those for programs, lists and pages of others. */
let fixedRules: Ruled | undefined

/** Put together when something is there to be searched. */
function rulesFor(fixedOnly: boolean): Ruled {
  if (!fixedOnly) return (allRules ??= ruled(ranked))
  return (fixedRules ??= ruled(ranked.filter(([, { fixed }]) => fixed)))
}

interface Found extends RuleMatch {
  readonly rank: number
  readonly rule: Rule
}

/** One text or program, and where it is from. */
export interface Scanned {
  readonly bytes: Uint8Array
  /** Without a leading slash; decides which rules apply, and is part of the fingerprint. */
  readonly path: string
  /** Decides which rules apply in place of `path`: where that is only a part of it. */
  readonly judgedPath?: string
  /** Whether the whole is no text, where the bytes are only a piece of it; without: as `isBinary` says of them. */
  readonly binary?: boolean
  /** Look into tests and documentation of packages too. */
  readonly everything?: boolean
}

/** Whether a file that begins so is no text: a zero byte among the first 8,000. */
export function isBinary(start: Uint8Array): boolean {
  return Buffer.from(start.buffer, start.byteOffset, Math.min(8000, start.length)).includes(0)
}

/**
 * The secrets in some bytes, in their order. Bytes that are no text (a zero byte among the first 8,000) are searched for
 * values with a form of their own only.
 */
export function scanBytes(scanned: Scanned): readonly SecretHit[] {
  const { bytes, judgedPath: path = scanned.path, everything = false } = scanned
  if (!everything && isPackagedExample(path)) return []
  const binary = scanned.binary ?? isBinary(bytes)
  const fixedOnly = binary || isLockFile(path) || (!everything && (isProse(path) || isPackagedProgram(path)))
  const { search, literals, rulesOf } = rulesFor(fixedOnly)
  const found: Found[] = []
  const seen = new Map<Rule, number>()
  const matchers = new Map<Rule, ReturnType<typeof ruleMatcher>>()
  const look = (literal: number, start: number, end: number): void => {
    for (const [rank, rule] of rulesOf[literal] ?? []) {
      if (rule.paths && !rule.paths.test(path)) continue
      if ((seen.get(rule) ?? -1) > start) continue
      if (rule.quick && !rule.quick(bytes, start, end)) continue
      const matcher = matchers.get(rule) ?? ruleMatcher(rule, { bytes, path })
      matchers.set(rule, matcher)
      const match = matcher({ start, end })
      if (!match) continue
      seen.set(rule, match.end)
      found.push({ ...match, rank, rule })
    }
  }
  search.search(firstLine(bytes), (literal, at) => {
    if (at === 0 && literals[literal]?.startsWith('\n')) look(literal, 0, (literals[literal] as string).length - 1)
  })
  search.search(bytes, (literal, at) => look(literal, at, at + (literals[literal] as string).length))
  const bare = fixedOnly ? undefined : bareSecret(bytes, path)
  if (bare) found.push(wholeFile(bytes, bare))
  return found.length === 0 ? [] : hitsOf(withoutOverlaps(found, bytes.length), bytes, scanned.path)
}

/** How a text begins, behind the end of a line: some literals have what stands before a value in them. */
function firstLine(bytes: Uint8Array): Uint8Array {
  const line = Buffer.alloc(9, '\n')
  line.set(bytes.subarray(0, 8), 1)
  return line
}

const wholeRule: Rule = {
  id: 'secret-file',
  title: 'file that is a secret',
  severity: 'high',
  anchors: [],
  fixed: false,
  pattern: /^/,
}

function wholeFile(bytes: Uint8Array, [start, end]: readonly [start: number, end: number]): Found {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
  return { rank: secretRules.length, rule: wholeRule, value, start, end, verdict: wholeRule }
}

/** Of what overlaps, the finding of the first rule. */
function withoutOverlaps(found: readonly Found[], size: number): readonly Found[] {
  const taken = new Uint8Array(size)
  return found
    .toSorted((a, b) => a.rank - b.rank || a.start - b.start)
    .filter(({ start, end }) => {
      const value = taken.subarray(start, end)
      if (value.includes(1)) return false
      value.fill(1)
      return true
    })
    .toSorted((a, b) => a.start - b.start)
}

/** A person may say of a line that it is meant. */
const allowed = /slipway:allow|gitleaks:allow|trufflehog:ignore|nosecret|pragma: allowlist secret/i

function hitsOf(found: readonly Found[], bytes: Uint8Array, path: string): readonly SecretHit[] {
  let line = 1
  let lineStart = 0
  let lineEnd = bytes.indexOf(10)
  return found.flatMap(({ rule, value, start, end, verdict }) => {
    for (; lineEnd !== -1 && lineEnd < start; lineEnd = bytes.indexOf(10, lineStart)) {
      line++
      lineStart = lineEnd + 1
    }
    const text = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + lineStart,
      Math.min(4000, (lineEnd === -1 ? bytes.length : lineEnd) - lineStart),
    )
    if (allowed.test(text.toString('latin1'))) return []
    const prefix = rule.prefix?.exec(value)?.[0] ?? ''
    return [
      {
        rule: verdict.id,
        title: verdict.title,
        severity: verdict.severity,
        start,
        end,
        line,
        column: start - lineStart + 1,
        masked: maskValue(value, prefix),
        fingerprint: fingerprintOf(verdict.id, path, value),
      },
    ]
  })
}
