import type { SecretHit } from './finding.ts'
import type { Rule } from './rule.ts'

/** A line longer than this is looked at in pieces around the anchor (bytes to each side). */
const lineReach = 1500

/** What a rule found, in the bytes that were searched. */
export interface RuleMatch {
  readonly value: string
  readonly start: number
  readonly end: number
  readonly verdict: Pick<SecretHit, 'severity' | 'title'> & { readonly id: string }
}

/** Bytes and where they are from: what decides whether a match counts. */
export interface Matched {
  readonly bytes: Uint8Array
  readonly path: string
}

interface Anchor {
  readonly start: number
  readonly end: number
}

/** What a rule looks at for some anchors that lie near each other, and how far it got: no match is looked for twice. */
interface Window {
  readonly from: number
  readonly to: number
  /** The line or the bytes end here: nothing behind `to` could matter. */
  readonly closed: boolean
  readonly text: string
  /** Not behind the anchors yet; null when there are no more. */
  match: RegExpExecArray | null
  next: number
}

/**
 * Matches a rule at anchors, which have to come in their order; gives for each the first match at it that the rule's judge
 * accepts and that was not given before. However many anchors there are, each byte is matched a few times at most.
 */
export function ruleMatcher(rule: Rule, { bytes, path }: Matched): (anchor: Anchor) => RuleMatch | undefined {
  let window: Window | undefined
  return anchor => {
    if (!window || !covers(window, anchor, rule)) window = openWindow(rule, bytes, anchor)
    for (let { match } = window; match; match = window.match) {
      const start = window.from + match.index
      if (start >= anchor.end + 8) break
      advance(window, rule)
      // A value may stand right beside its anchor.
      if (start + match[0].length < anchor.start) continue
      const found = judged(match, window, { rule, path })
      if (found) return found
    }
    return undefined
  }
}

function covers({ to, closed }: Window, { end }: Anchor, { reach }: Rule): boolean {
  return closed ? end <= to : end + (reach?.after ?? lineReach) <= to
}

/** The line of an anchor, or what the rule wants to see; with more behind it, for the next anchors. */
function openWindow(rule: Rule, bytes: Uint8Array, anchor: Anchor): Window {
  const { before, after } = rule.reach ?? { before: lineReach, after: lineReach }
  let from = Math.max(0, anchor.start - before)
  let to = Math.min(bytes.length, anchor.end + 2 * after)
  let closed = to === bytes.length
  if (!rule.reach) {
    from += bytes.subarray(from, anchor.start + 1).lastIndexOf(10) + 1
    const lineEnd = bytes.subarray(anchor.end, to).indexOf(10)
    if (lineEnd !== -1) {
      to = anchor.end + lineEnd
      closed = true
    }
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
  const window: Window = { from, to, closed, text, match: null, next: 0 }
  advance(window, rule)
  return window
}

function advance(window: Window, { pattern }: Rule): void {
  pattern.lastIndex = window.next
  window.match = pattern.exec(window.text)
  window.next = window.match?.[0] === '' ? pattern.lastIndex + 1 : pattern.lastIndex
}

/** Names of the groups that hold the secret. */
const valueNames = ['value', 'other', 'quoted', 'bare', 'amz', 'goog', 'azure', 'azure2', 'front']

function judged(
  match: RegExpExecArray,
  { from, text }: Window,
  { rule, path }: { readonly rule: Rule; readonly path: string },
): RuleMatch | undefined {
  const groups = match.groups ?? {}
  const name = valueNames.find(each => groups[each] !== undefined)
  const range = name === undefined ? undefined : match.indices?.groups?.[name]
  if (name === undefined || !range) return undefined
  const value = groups[name] ?? ''
  const given = { value, groups, text, start: match.index, end: match.index + match[0].length, path }
  const verdict = rule.judge ? rule.judge(given) : true
  if (verdict === false) return undefined
  const { id, title, severity } = rule
  const found = typeof verdict === 'object' ? verdict : { id, title, severity: verdict === true ? severity : verdict }
  return { value, start: from + range[0], end: from + range[1], verdict: found }
}
