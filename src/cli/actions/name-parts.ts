import { familiarReference, parseReference } from '#oci'

/** A familiar name in its two parts, as tables show it: `debian` and `bookworm`. */
export function nameParts(name: string): { readonly repository: string; readonly tag: string } {
  const reference = parseReference(name)
  const { domain, path } = reference
  return { repository: familiarReference({ domain, path }), tag: reference.tag ?? 'latest' }
}
