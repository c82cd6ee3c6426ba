import { UserError } from '#diagnostics'
import { type Descriptor, formatPlatform, type Platform, platformMatches } from '#oci'

/** BuildKit adds manifests about provenance, which are no images. */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown'
}

/**
 * The entry of an index for a platform: one of the same variant, else the highest variant below it (armv7 runs what armv6
 * does), else one that names no variant. Entries that are all the same are taken as they are. Throws a `UserError` that
 * says which platforms there are; `name` is what has the entries.
 */
export function choosePlatform(name: string, entries: readonly Descriptor[], platform: Platform): Descriptor {
  const [first] = entries
  if (first !== undefined && entries.every(entry => entry.digest === first.digest)) return first
  const fitting = entries.filter(entry => entry.platform !== undefined && runsOn(entry.platform, platform))
  const exact = fitting.find(entry => entry.platform?.variant === platform.variant)
  const best = exact ?? fitting.toSorted((a, b) => variantNumber(b.platform) - variantNumber(a.platform))[0]
  if (best !== undefined) return best
  const there = entries.map(entry => (entry.platform === undefined ? 'unknown' : formatPlatform(entry.platform)))
  throw new UserError(`${name} has no image for ${formatPlatform(platform)}`, {
    hint: `choose one with --platform: ${[...new Set(there)].join(', ') || 'it has none at all'}`,
  })
}

function runsOn(have: Platform, want: Platform): boolean {
  if (platformMatches(have, want)) return true
  const sameProcessor = have.os === want.os && have.architecture === want.architecture
  return sameProcessor && variantNumber(have) > 0 && variantNumber(have) < variantNumber(want)
}

/** `v7` → 7; 0 without a variant, or with another kind of one. */
function variantNumber(platform: Platform | undefined): number {
  const number = /^v(\d+)$/.exec(platform?.variant ?? '')?.[1]
  return number === undefined ? 0 : Number(number)
}
