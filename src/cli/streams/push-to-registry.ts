import { type CompressionChoice, type ImageFormat, type ImageGroup, type PushedImage, pushImages } from '#image'
import { type Descriptor, familiarReference, type Reference } from '#oci'
import type { Registries } from '#registry'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'
import { type ActivityTeller, tellActivity } from '../progress/tell-activity.ts'

/** What goes to registries, and as what. */
export interface RegistryPush {
  readonly store: Store
  readonly registries: Registries
  readonly images: readonly PushedImage[]
  /** At least one. */
  readonly references: readonly Reference[]
  readonly packing: CompressionChoice
  readonly format?: ImageFormat
  readonly group?: Pick<ImageGroup, 'annotations'>
  readonly teller: ActivityTeller
}

/** A name and what it stands for now. */
export interface PushedName {
  readonly reference: Reference
  readonly manifest: Descriptor
}

/** Pushes images under all their names, one repository after the other; those of one share what was sent. */
export async function pushToRegistries(push: RegistryPush, context: CliContext): Promise<readonly PushedName[]> {
  const { store, registries, images, packing, format, group, teller } = push
  const repositories = new Map<string, Reference[]>()
  for (const reference of push.references) {
    const key = `${reference.domain}/${reference.path}`
    repositories.set(key, [...(repositories.get(key) ?? []), reference])
  }
  const pushed: PushedName[] = []
  for (const references of repositories.values()) {
    const [first] = references as [Reference, ...Reference[]]
    const { domain, path } = first
    const tags = references.flatMap(({ tag }) => tag ?? [])
    const text = `pushing ${references.map(familiarReference).join(', ')}`
    const manifest = await tellActivity(teller, text, report =>
      pushImages(images, {
        repository: registries.repository({ domain, path }),
        tags,
        packing,
        ...(format && { format }),
        ...(group && { group }),
        forms: store.layers,
        openPlace: place => store.openPlace(place),
        report,
        signal: context.interrupts.signal,
      }),
    )
    for (const reference of references) pushed.push({ reference, manifest })
  }
  return pushed
}
