import type { HttpResponse } from '#http'
import type { Descriptor } from '#oci'
import { type Asked, registryError } from './registry-error.ts'
import type { Server, ServerRequest } from './server.ts'

/** A repository at one server. */
export interface Place {
  readonly server: Server
  readonly path: string
}

/** What errors say about a place. */
export function askedOf({ server, path }: Place, action: string): Asked {
  return { registry: server.registry, repository: path, action }
}

/** Asks for something in a repository; what goes wrong is a `RegistryError`. */
export async function request(
  { server, path }: Place,
  wanted: Omit<ServerRequest, 'scopes'> & { readonly scopes?: readonly string[] },
  action: string,
): Promise<HttpResponse> {
  try {
    return await server.request({ scopes: [pullScope(path)], ...wanted })
  } catch (error) {
    throw registryError({ registry: server.registry, repository: path, action }, error)
  }
}

export function pullScope(path: string): string {
  return `repository:${path}:pull`
}

export function pushScope(path: string): string {
  return `repository:${path}:pull,push`
}

/** Whether a blob of that digest and size is there. */
export async function hasBlob(place: Place, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
  const action = `look for blob ${digest} in`
  const url = `/v2/${place.path}/blobs/${digest}`
  const response = await request(place, { url, method: 'HEAD', allow: [404] }, action)
  await response.discard()
  if (response.status !== 200) return false
  const length = response.header('content-length')
  return length === undefined || Number(length) === size
}
