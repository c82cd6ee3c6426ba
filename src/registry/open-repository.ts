import { UserError } from '#diagnostics'
import type { Http } from '#http'
import { HttpError } from '#http'
import { type Descriptor, Sha256 } from '#oci'
import { fetchManifest, findManifest, publishManifest } from './manifests.ts'
import { askedOf, hasBlob, type Place, pullScope, pushScope, request } from './place.ts'
import { registryError, RegistryError } from './registry-error.ts'
import type { Repository } from './repository.ts'
import type { RepositoryName } from './server-address.ts'
import { listTags } from './list-tags.ts'
import { uploadBlob } from './upload.ts'

export interface RepositoryOptions {
  readonly name: RepositoryName
  readonly http: Http
  /** The registry itself: everything is written there. */
  readonly origin: Place
  /** Asked first when reading; what one of them lacks or cannot do, the next one is asked for. */
  readonly mirrors: readonly Place[]
  readonly signal?: AbortSignal
}

export function openRepository(options: RepositoryOptions): Repository {
  const { name, origin, mirrors, http, signal } = options
  const uploading = { http, ...(signal && { signal }) }
  const places = [...mirrors, origin]
  return {
    name,
    async resolve(wanted) {
      for (const place of mirrors) {
        const found = await fetchManifest(place, wanted).catch((error: unknown) => ignoreMirror(error))
        if (found !== undefined) return found
      }
      return fetchManifest(origin, wanted)
    },
    find: wanted => findManifest(origin, wanted),
    publish: (manifest, tag) => publishManifest(origin, manifest, tag),
    has: descriptor => hasBlob(origin, descriptor),
    read: descriptor => readBlob(places, descriptor, options),
    async write(descriptor, bytes) {
      let taken = false
      const once = (): AsyncIterable<Uint8Array> => {
        if (taken) throw brokenOnce(origin, descriptor)
        taken = true
        return bytes
      }
      await uploadBlob(origin, once, { ...uploading, expected: descriptor })
    },
    upload: (source, expected) => uploadBlob(origin, source, { ...uploading, ...(expected && { expected }) }),
    mount: (descriptor, fromPath) => mountBlob(origin, descriptor, fromPath),
    tags: () => listTags(origin),
  }
}

/** Whatever is wrong with a mirror, the registry itself may still help; a mistake of ours is none of a mirror. */
function ignoreMirror(error: unknown): undefined {
  if (error instanceof UserError) return undefined
  throw error
}

async function* readBlob(
  places: readonly Place[],
  descriptor: Descriptor,
  { http, signal }: RepositoryOptions,
): AsyncGenerator<Uint8Array> {
  let received = 0
  const hash = new Sha256()
  for (const [i, place] of places.entries()) {
    try {
      // What came from a mirror before it broke off is not asked for again.
      let skip = received
      for await (const bytes of download(place, descriptor, { http, ...(signal && { signal }) })) {
        const fresh = skip >= bytes.length ? undefined : bytes.subarray(skip)
        skip = Math.max(0, skip - bytes.length)
        if (fresh === undefined) continue
        received += fresh.length
        hash.update(fresh)
        yield fresh
      }
      break
    } catch (error) {
      if (i === places.length - 1 || !(error instanceof RegistryError)) throw error
    }
  }
  const found = hash.digest()
  if (found === descriptor.digest && received === descriptor.size) return
  const last = places.at(-1) as Place
  throw new UserError(
    `blob ${descriptor.digest} of ${last.server.registry}/${last.path} came with digest ${found} and ${received} bytes instead of ${descriptor.size}`,
    { hint: 'the registry, a mirror or a proxy damaged it; try again' },
  )
}

async function* download(
  place: Place,
  { digest, size }: Descriptor,
  { http, signal }: { readonly http: Http; readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { server, path } = place
  const action = `read blob ${digest} of`
  try {
    const url = await server.address(`/v2/${path}/blobs/${digest}`)
    yield* http.download({
      url,
      size,
      send: wanted => server.request({ ...wanted, scopes: [pullScope(path)] }),
      ...(signal && { signal }),
    })
  } catch (error) {
    throw error instanceof HttpError ? registryError(askedOf(place, action), error) : error
  }
}

/** Distribution-spec, "Mounting a blob from another repository". */
async function mountBlob(place: Place, { digest }: Descriptor, fromPath: string): Promise<boolean> {
  const { path } = place
  if (fromPath === path) return false
  const query = new URLSearchParams({ mount: digest, from: fromPath })
  const response = await request(
    place,
    {
      url: `/v2/${path}/blobs/uploads/?${query.toString()}`,
      method: 'POST',
      repeatable: true,
      headers: { 'content-length': '0' },
      // Somebody who may not read the other repository, or a registry that does not mount.
      allow: [400, 401, 403, 404, 405],
      scopes: [pushScope(path), pullScope(fromPath)],
    },
    `mount blob ${digest} into`,
  )
  await response.discard()
  if (response.status === 201) return true
  const location = response.header('location')
  if (response.status === 202 && location !== undefined) {
    // An upload was begun instead: it is given up, so that the registry need not keep it.
    const url = new URL(location, response.url)
    const cancelled = await place.server
      .request({ url, method: 'DELETE', scopes: [pushScope(path)], attempts: 1, allow: [400, 401, 403, 404, 405] })
      .catch(() => undefined)
    await cancelled?.discard()
  }
  return false
}

function brokenOnce(place: Place, { digest }: Descriptor): RegistryError {
  return new RegistryError(`the upload of blob ${digest} to ${place.server.registry}/${place.path} broke off`, {
    ...askedOf(place, 'push to'),
    hint: 'try again',
  })
}
