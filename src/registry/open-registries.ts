import type { Http } from '#http'
import type { Credential, Credentials } from './credentials.ts'
import { openRepository } from './open-repository.ts'
import type { Repository } from './repository.ts'
import { registryError } from './registry-error.ts'
import { openServer, type Server } from './server.ts'
import type { RepositoryName } from './server-address.ts'

export interface RegistriesOptions {
  /** Opened with `serverTls` as `tlsOf`, so that certificates of single registries count. */
  readonly http: Http
  /** Default: nobody in particular. */
  readonly credentials?: Credentials
  /** Registries (host and port) that may be spoken to without TLS, or with a certificate that nobody vouches for. */
  readonly insecure?: readonly string[]
  /** Where to read from before a registry itself: registry → mirrors, in their order, as `HOST[:PORT][/PATH]`. */
  readonly mirrors?: ReadonlyMap<string, readonly string[]>
  readonly signal?: AbortSignal
}

/** The registries of this process; they share connections and tokens. */
export interface Registries {
  repository(name: RepositoryName): Repository
  /** Shows a credential to a registry. Throws a `RegistryError` where it is not good; false: the registry asked for none. */
  check(registry: string, credential: Credential): Promise<boolean>
}

/** Opens the door to registries; nothing is asked of one before it is needed. */
export function openRegistries(options: RegistriesOptions): Registries {
  const { http, insecure = [], mirrors = new Map<string, readonly string[]>(), signal } = options
  const anonymous: Credentials = { find: () => Promise.resolve(undefined) }
  const servers = new Map<string, Server>()
  const make = (registry: string, credentials: Credentials): Server =>
    openServer({
      http,
      registry,
      credentials,
      insecure: insecure.includes(registry),
      ...(signal && { signal }),
    })
  const server = (registry: string): Server => {
    const known = servers.get(registry) ?? make(registry, options.credentials ?? anonymous)
    servers.set(registry, known)
    return known
  }
  return {
    repository(name) {
      const mirrored = (mirrors.get(name.domain) ?? []).map(mirror => {
        const [host = '', ...path] = mirror.split('/')
        return { server: server(host), path: [...path, name.path].join('/') }
      })
      return openRepository({
        name,
        http,
        origin: { server: server(name.domain), path: name.path },
        mirrors: mirrored,
        ...(signal && { signal }),
      })
    },
    async check(registry, credential) {
      let asked = false
      const credentials: Credentials = {
        find: () => {
          asked = true
          return Promise.resolve(credential)
        },
      }
      try {
        const response = await make(registry, credentials).request({ url: '/v2/', scopes: [] })
        await response.discard()
      } catch (error) {
        throw registryError({ registry, action: 'log in to' }, error)
      }
      return asked
    },
  }
}
