import { existsSync, readdirSync } from 'node:fs'
import { UserError } from '#diagnostics'
import { type AuthPlaces, authFilePaths, readAuthFile, registryOfKey, section } from './auth-file.ts'
import { certificateDirectories } from './certificate-directories.ts'
import { hasHelper } from './credential-program.ts'
import { registrySettings, settingsPath } from './settings.ts'

/** A file with credentials, without what it keeps secret. */
export interface FoundCredentials {
  readonly path: string
  /** Registries, with namespaces where podman has them, that it has or knows a helper for. */
  readonly registries: readonly string[]
  /** `docker-credential-…` programs that it names. */
  readonly helpers: readonly { readonly program: string; readonly installed: boolean }[]
  /** Why it cannot be used. */
  readonly problem?: string
}

/** How this machine reaches registries: names and counts, never a password or a token. */
export interface FoundConfiguration {
  readonly credentials: readonly FoundCredentials[]
  /** Files and variables that say something about mirrors and TLS. */
  readonly settings: readonly string[]
  readonly mirrored: readonly string[]
  readonly insecure: readonly string[]
  /** `certs.d` directories of single registries. */
  readonly certificates: readonly string[]
  /** Why the settings cannot be used. */
  readonly problem?: UserError
}

/** Looks at what is there; runs no helper and asks no registry. */
export async function findConfiguration({ env }: AuthPlaces): Promise<FoundConfiguration> {
  const files = await Promise.all(
    authFilePaths({ env })
      .filter(existsSync)
      .map(path => describe(path, env)),
  )
  const file = settingsPath(env)
  const variables = ['SLIPWAY_REGISTRY_MIRRORS', 'SLIPWAY_INSECURE_REGISTRIES'].filter(name => env[name])
  const found = {
    credentials: files,
    settings: [...variables, ...(file !== undefined && existsSync(file) ? [file] : [])],
    certificates: certificateDirectories(env).flatMap(inDirectory),
  }
  try {
    const { mirrors, insecure } = registrySettings({ env })
    return { ...found, mirrored: [...mirrors.keys()], insecure }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { ...found, mirrored: [], insecure: [], problem: error }
  }
}

async function describe(path: string, env: AuthPlaces['env']): Promise<FoundCredentials> {
  try {
    const file = await readAuthFile(path)
    const own = section(file, 'credHelpers')
    const store = file.content['credsStore']
    const named = [...Object.values(own), store].filter(name => typeof name === 'string' && name !== '') as string[]
    return {
      path,
      registries: [...new Set([...Object.keys(section(file, 'auths')), ...Object.keys(own)].map(nameOf))].sort(),
      helpers: [...new Set(named)].map(helper => ({
        program: `docker-credential-${helper}`,
        installed: hasHelper({ helper, env }),
      })),
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { path, registries: [], helpers: [], problem: error.message }
  }
}

/** Should somebody have written a password into a key. */
function nameOf(key: string): string {
  return registryOfKey(key).replace(/^.*@/, '')
}

function inDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory).map(name => `${directory}/${name}`)
  } catch {
    return []
  }
}
