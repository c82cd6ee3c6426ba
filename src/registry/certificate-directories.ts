import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import type { ServerTls } from '#http'

/** Where docker, containerd and podman look for the certificates of single registries. */
export function certificateDirectories(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const home = env['HOME']
  const config = env['XDG_CONFIG_HOME'] || (home && join(home, '.config'))
  const own = config ? [join(config, 'docker', 'certs.d'), join(config, 'containers', 'certs.d')] : []
  return [...own, '/etc/docker/certs.d', '/etc/containers/certs.d']
}

/**
 * What `certs.d/HOST[:PORT]` says of one registry: `*.crt` are additional certificate authorities, `*.cert` with the `*.key` of the
 * same name is a client's. `insecure` hosts may show any certificate. Throws a `UserError` for a certificate without its key.
 */
export function serverTls(
  env: Readonly<Record<string, string | undefined>>,
  insecure: readonly string[] = [],
): (host: string) => ServerTls | undefined {
  return host => {
    const names = /:\d+$/.test(host) ? [host] : [`${host}:443`, host]
    const unverified = names.some(name => insecure.includes(name))
    for (const directory of certificateDirectories(env)) {
      for (const name of names) {
        const found = readDirectory(join(directory, name))
        if (found !== undefined) return { ...found, ...(unverified && { unverified }) }
      }
    }
    return unverified ? { unverified } : undefined
  }
}

function readDirectory(path: string): ServerTls | undefined {
  let files: readonly string[]
  try {
    files = readdirSync(path)
  } catch {
    return undefined
  }
  const ca = files.filter(file => file.endsWith('.crt')).map(file => read(join(path, file)))
  const client = files.find(file => file.endsWith('.cert'))
  if (client === undefined) return ca.length === 0 ? undefined : { ca }
  const keyFile = `${client.slice(0, -'.cert'.length)}.key`
  if (!files.includes(keyFile)) {
    throw new UserError(`${join(path, client)} has no key beside it`, {
      hint: `put ${keyFile} there; certificate authorities have names that end in .crt`,
    })
  }
  return {
    ...(ca.length > 0 && { ca }),
    certificate: read(join(path, client)),
    key: read(join(path, keyFile)),
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`, {
      hint: 'check its permissions; it belongs to the certificates of a registry',
    })
  }
}
