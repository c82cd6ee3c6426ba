import type { Blobs, Manifests } from '#oci'
import type { Repository } from '#registry'
import type { CliContext } from './context.ts'
import type { CliRegistries } from './open-registries.ts'
import type { RegistryFlags } from './options/registry-options.ts'

/** Where images and layers are that are not here. Disposing closes the connections. */
export interface Places extends AsyncDisposable {
  /** `HOST/PATH` of a registry, or `oci-layout:` and an absolute path. */
  open(repository: string): Promise<Place>
}

/** A registry's repository, or a layout that behaves like one. */
export type Place = Pick<Repository, keyof Blobs | keyof Manifests | 'name' | 'mount' | 'upload'>

/** How layouts are named among places. */
export const layoutPlace = 'oci-layout:'

/** The way to places; nothing of the network is loaded before one is asked for. */
export function openPlaces(flags: RegistryFlags, context: CliContext): Places {
  let connecting: Promise<CliRegistries> | undefined
  return {
    async open(repository) {
      if (repository.startsWith(layoutPlace)) {
        const { openLayoutRepository } = await import('#image')
        const directory = repository.slice(layoutPlace.length)
        const name = { domain: layoutPlace, path: directory.slice(1) }
        return { ...openLayoutRepository(directory), name, mount: async () => false }
      }
      const slash = repository.indexOf('/')
      connecting ??= import('./open-registries.ts').then(({ openCliRegistries }) => openCliRegistries(flags, context))
      const { registries } = await connecting
      return registries.repository({ domain: repository.slice(0, slash), path: repository.slice(slash + 1) })
    },
    async [Symbol.asyncDispose]() {
      await (await connecting)?.[Symbol.asyncDispose]()
    },
  }
}
