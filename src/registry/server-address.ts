import type { Reference } from '#oci'

/** The host that speaks the protocol for a registry as references name it. */
export function serverHost(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry
}

/** A registry of this machine: it may be spoken to without TLS. `host` may have a port. */
export function isLocalHost(host: string): boolean {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '')
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/** The repository of a reference. */
export type RepositoryName = Pick<Reference, 'domain' | 'path'>
