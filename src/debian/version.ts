/**
 * Compares two Debian version numbers (deb-version(7)): negative, zero or positive as `a` is earlier than, equal to or
 * later than `b`. Works on any text; what is not a version is compared by the same rules.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  const [epochA, upstreamA, revisionA] = splitVersion(a)
  const [epochB, upstreamB, revisionB] = splitVersion(b)
  return epochA - epochB || comparePart(upstreamA, upstreamB) || comparePart(revisionA, revisionB)
}

function splitVersion(version: string): readonly [epoch: number, upstream: string, revision: string] {
  const colon = version.indexOf(':')
  const rest = version.slice(colon + 1)
  const dash = rest.lastIndexOf('-')
  const epoch = colon > 0 ? Number(version.slice(0, colon)) : 0
  return [
    Number.isNaN(epoch) ? 0 : epoch,
    dash === -1 ? rest : rest.slice(0, dash),
    dash === -1 ? '' : rest.slice(dash + 1),
  ]
}

/** Alternating runs: other characters by `rank`, digits by number. */
function comparePart(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = rank(a, i) - rank(b, j)
      if (difference !== 0) return difference
      i++
      j++
    }
    while (a[i] === '0') i++
    while (b[j] === '0') j++
    let first = 0
    for (; isDigit(a, i) && isDigit(b, j); i++, j++) first ||= a.charCodeAt(i) - b.charCodeAt(j)
    if (isDigit(a, i)) return 1
    if (isDigit(b, j)) return -1
    if (first !== 0) return first
  }
  return 0
}

function isDigit(text: string, i: number): boolean {
  const code = text.charCodeAt(i)
  return code >= 48 && code <= 57
}

/** `~` before the end of a part, the end (and a digit) before letters, letters before everything else. */
function rank(text: string, i: number): number {
  if (i >= text.length || isDigit(text, i)) return 0
  const code = text.charCodeAt(i)
  if (code === 126) return -1
  const letter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  return letter ? code : code + 256
}

/** How a relation restricts a version. `<` and `>` of old control files mean `<=` and `>=`. */
export type VersionOperator = '<<' | '<=' | '=' | '>=' | '>>'

/** Whether `version` is in the relation `operator` to `wanted`. */
export function satisfiesVersion(version: string, operator: VersionOperator, wanted: string): boolean {
  const order = compareVersions(version, wanted)
  switch (operator) {
    case '<<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '>=':
      return order >= 0
    case '>>':
      return order > 0
  }
}
