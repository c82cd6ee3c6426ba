import {
  authFilePaths,
  authKey,
  type AuthPlaces,
  credentialIn,
  helperFor,
  readAuthFile,
  registryOfKey,
  section,
  writeAuthFile,
} from './auth-file.ts'
import { eraseFromHelper, getFromHelper, hasHelper, storeInHelper } from './credential-program.ts'
import type { Credential, Credentials } from './credentials.ts'

export interface StoredCredentialsOptions extends AuthPlaces {
  readonly signal: AbortSignal
  /** Told once of each helper that is configured but not installed: credentials that it may have are not found. */
  readonly warn?: (message: string) => void
}

/** Credentials as the tools of this machine keep them. */
export interface StoredCredentials extends Credentials {
  /** Keeps a password for a registry where docker would; says where that is. */
  save(registry: string, credential: Extract<Credential, { kind: 'password' }>): Promise<string>
  /** Forgets what is kept for a registry; the places where something was. */
  forget(registry: string): Promise<readonly string[]>
}

/** The credentials of docker, podman and skopeo. Nothing is read before it is asked for. */
export function openStoredCredentials(options: StoredCredentialsOptions): StoredCredentials {
  const { signal, env } = options
  const paths = authFilePaths(options)
  const warned = new Set<string>()
  const call = (helper: string, registry: string) => ({ helper, key: authKey(registry), env, signal })
  const fromHelper = async (helper: string, registry: string): Promise<Credential | undefined> => {
    if (hasHelper({ helper, env })) return getFromHelper(call(helper, registry))
    if (!warned.has(helper)) {
      options.warn?.(`the credential helper docker-credential-${helper} is configured, but not on PATH`)
    }
    warned.add(helper)
    return undefined
  }
  return {
    async find(registry, repository) {
      for (const path of paths) {
        const file = await readAuthFile(path)
        const helper = helperFor(file, registry)
        const found =
          (helper === undefined ? undefined : await fromHelper(helper, registry)) ??
          credentialIn(file, registry, repository)
        if (found !== undefined) return found
      }
      return undefined
    },
    async save(registry, { username, password }) {
      const [path] = paths
      if (path === undefined) throw new Error('without HOME nobody knows where credentials are kept')
      const file = await readAuthFile(path)
      const helper = helperFor(file, registry)
      if (helper !== undefined) await storeInHelper(call(helper, registry), { username, password })
      const auth = Buffer.from(`${username}:${password}`).toString('base64')
      const auths = {
        ...without(section(file, 'auths'), registry),
        [authKey(registry)]: helper === undefined ? { auth } : {},
      }
      await writeAuthFile({ path, content: { ...file.content, auths } })
      return helper === undefined ? path : `docker-credential-${helper}`
    },
    async forget(registry) {
      const places: string[] = []
      for (const path of paths) {
        const file = await readAuthFile(path)
        const helper = helperFor(file, registry)
        if (helper !== undefined && hasHelper({ helper, env }) && (await eraseFromHelper(call(helper, registry)))) {
          places.push(`docker-credential-${helper}`)
        }
        const auths = section(file, 'auths')
        const rest = without(auths, registry)
        if (Object.keys(rest).length === Object.keys(auths).length) continue
        if (credentialIn(file, registry) !== undefined) places.push(path)
        await writeAuthFile({ path, content: { ...file.content, auths: rest } })
      }
      return places
    },
  }
}

function without(auths: Readonly<Record<string, unknown>>, registry: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(auths).filter(([key]) => registryOfKey(key) !== registry))
}
