import { UserError } from '#diagnostics'
import { parseDigest, parseReference, type Reference } from '#oci'
import type { LayoutChoice } from './read-layout-images.ts'

/** Where an image is or goes, as a person writes it. */
export type ImagePlace = { readonly text: string } & (
  | { readonly kind: 'store'; readonly name: string }
  | { readonly kind: 'registry'; readonly reference: Reference }
  /** A directory with an OCI layout. */
  | { readonly kind: 'layout'; readonly path: string; readonly choice?: LayoutChoice }
  | { readonly kind: 'oci-archive'; readonly path: string; readonly choice?: LayoutChoice }
  | { readonly kind: 'docker-archive'; readonly path: string; readonly name?: Reference }
)

const hint =
  'write docker://HOST/NAME:TAG, oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], or a name of the local store'

/**
 * `docker://NAME`, `oci:DIR[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG|@DIGEST]`, `docker-archive:FILE[:NAME]` as skopeo has them,
 * `store:NAME`, or simply a name or id of the local store. Throws a `UserError` for anything else.
 */
export function parseImagePlace(text: string): ImagePlace {
  const [, scheme = '', rest = ''] = /^([a-z][a-z-]*):(.*)$/.exec(text) ?? []
  if (rest === '' && scheme !== '') throw new UserError(`${JSON.stringify(text)} names nothing`, { hint })
  switch (scheme) {
    case 'docker':
      if (rest.startsWith('//')) return { text, kind: 'registry', reference: parseReference(rest.slice(2)) }
      throw new UserError(`${JSON.stringify(text)} has no slashes`, { hint: `write docker://${rest}` })
    case 'oci':
    case 'oci-layout':
      return { text, kind: 'layout', ...pathAndChoice(rest.replace(/^\/\/(?=.)/, '')) }
    case 'oci-archive':
      return { text, kind: 'oci-archive', ...pathAndChoice(rest) }
    case 'docker-archive': {
      const [, path = rest, name] = /^([^:]+):(.+)$/.exec(rest) ?? []
      return { text, kind: 'docker-archive', path, ...(name !== undefined && { name: parseReference(name) }) }
    }
    case 'store':
      return { text, kind: 'store', name: rest }
    case 'docker-daemon':
    case 'containers-storage':
    case 'dir':
      throw new UserError(`${scheme}: is not known here`, {
        hint: scheme === 'dir' ? hint : `take the image out with "docker save" or "podman save": docker-archive:FILE`,
      })
    default:
      return { text, kind: 'store', name: text }
  }
}

function pathAndChoice(text: string): { readonly path: string; readonly choice?: LayoutChoice } {
  const at = /^(.+)@(sha256:.*)$/.exec(text)
  if (at !== null) return { path: at[1] ?? '', choice: { digest: parseDigest(at[2] ?? '') } }
  const [, path = text, tag] = /^([^:]+):(.+)$/.exec(text) ?? []
  return { path, ...(tag !== undefined && { choice: { tag } }) }
}
