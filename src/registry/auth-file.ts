import { randomUUID } from 'node:crypto'
import { open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '#diagnostics'
import { makeDirectories } from '#linux'
import type { Credential } from './credentials.ts'

/** What a file with credentials says, as docker (`config.json`) and podman (`auth.json`) write it. Other keys stay as they are. */
export interface AuthFile {
  readonly path: string
  readonly content: Readonly<Record<string, unknown>>
}

/** Where credentials are looked for. Nothing is read from the process. */
export interface AuthPlaces {
  /** `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`, `HOME`; `PATH` for helpers. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The files in the order in which they count: the one of `REGISTRY_AUTH_FILE` alone where that is set; else docker's, then those
 * of podman and skopeo. `slipway login` writes to the first.
 */
export function authFilePaths({ env }: AuthPlaces): readonly string[] {
  const only = env['REGISTRY_AUTH_FILE']
  if (only) return [only]
  const home = env['HOME']
  const docker = env['DOCKER_CONFIG'] || (home && join(home, '.docker'))
  const config = env['XDG_CONFIG_HOME'] || (home && join(home, '.config'))
  return [
    docker && join(docker, 'config.json'),
    env['XDG_RUNTIME_DIR'] && join(env['XDG_RUNTIME_DIR'], 'containers', 'auth.json'),
    config && join(config, 'containers', 'auth.json'),
  ].filter((path): path is string => typeof path === 'string' && path !== '')
}

/** Reads a file; one that is not there says nothing. Throws a `UserError` for one that is not JSON. */
export async function readAuthFile(path: string): Promise<AuthFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { path, content: {} }
    throw new UserError(`cannot read the credentials in ${path}: ${code ?? 'unknown error'}`, {
      hint: 'check the permissions of the file',
    })
  }
  try {
    const content: unknown = text.trim() === '' ? {} : JSON.parse(text)
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return { path, content: content as AuthFile['content'] }
    }
  } catch {
    // The parser's message would show a piece of the file.
  }
  throw new UserError(`${path} is not JSON with an object`, { hint: 'mend the file, or move it away and log in again' })
}

/** Replaces a file as a whole, readable for its owner alone. */
export async function writeAuthFile({ path, content }: AuthFile): Promise<void> {
  makeDirectories(dirname(path), 0o700)
  // A link keeps being one.
  const target = await realpath(path).catch(() => path)
  const temporary = join(dirname(target), `.${randomUUID()}.part`)
  try {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(`${JSON.stringify(content, undefined, '\t')}\n`)
    await file.datasync()
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** An object within the file; empty where there is none. */
export function section({ content }: AuthFile, name: string): Readonly<Record<string, unknown>> {
  const found = content[name]
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as AuthFile['content']) : {}
}

/** The key under which docker keeps a registry. */
export function authKey(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry
}

/** The registry, with a namespace where podman has one, that a key speaks of. */
export function registryOfKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/+$/, '')
  return bare.replace(/^(?:index\.docker\.io|registry-1\.docker\.io)(?=\/|$)/, 'docker.io')
}

/** What a file itself has for a repository: the entry for the longest namespace, at last that of the whole registry. */
export function credentialIn(file: AuthFile, registry: string, repository?: string): Credential | undefined {
  const entries = new Map<string, unknown>()
  // Docker's own key is worth more than other spellings of the same registry.
  for (const [key, entry] of Object.entries(section(file, 'auths')))
    if (!entries.has(registryOfKey(key)) || key === authKey(registry)) entries.set(registryOfKey(key), entry)
  const parts = repository === undefined ? [] : repository.split('/')
  for (let n = parts.length; n >= 0; n--) {
    const found = toCredential(entries.get([registry, ...parts.slice(0, n)].join('/')))
    if (found !== undefined) return found
  }
  return undefined
}

function toCredential(entry: unknown): Credential | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  const { auth, username, password, identitytoken, registrytoken } = entry as Readonly<Record<string, unknown>>
  if (typeof identitytoken === 'string' && identitytoken !== '') return { kind: 'identity-token', token: identitytoken }
  if (typeof registrytoken === 'string' && registrytoken !== '') return { kind: 'registry-token', token: registrytoken }
  if (typeof auth === 'string' && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
    const colon = text.indexOf(':')
    if (colon > 0) return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    return { kind: 'password', username, password }
  }
  return undefined
}

/** The helper that keeps the credentials of a registry: `credHelpers`, then `credsStore`. */
export function helperFor(file: AuthFile, registry: string): string | undefined {
  const helpers = section(file, 'credHelpers')
  const own = Object.keys(helpers).find(key => registryOfKey(key) === registry)
  const name = own === undefined ? file.content['credsStore'] : helpers[own]
  return typeof name === 'string' && name !== '' ? name : undefined
}
