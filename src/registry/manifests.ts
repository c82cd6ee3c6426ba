import { UserError } from '#diagnostics'
import { type Descriptor, digestOf, isDigest, type ManifestBytes, mediaTypes, parseDigest } from '#oci'
import { askedOf, type Place, pushScope, request } from './place.ts'
import { printable, RegistryError, registryError } from './registry-error.ts'
import type { HttpResponse } from '#http'

/** More than this no registry takes (distribution-spec, "Pushing Manifests"). */
const manifestLimit = 4 << 20

const schema1 = 'application/vnd.docker.distribution.manifest.v1'
const accepted = [
  mediaTypes.ociIndex,
  mediaTypes.dockerIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  // Named, so that a registry that has nothing else says so instead of "unknown".
  `${schema1}+prettyjws;q=0.1`,
].join(', ')
const attempts = 4

/** A manifest or index by tag or digest (distribution-spec, "Pulling manifests"); undefined where there is none. */
export async function fetchManifest(place: Place, name: string): Promise<ManifestBytes | undefined> {
  const action = `read the manifest ${name} of`
  for (let attempt = 1; ; attempt++) {
    const response = await request(
      place,
      { url: `/v2/${place.path}/manifests/${name}`, headers: { accept: accepted }, allow: [404] },
      action,
    )
    if (response.status === 404) {
      await response.discard()
      return undefined
    }
    try {
      return verifiedManifest(place, name, { response, bytes: await response.bytes(manifestLimit) })
    } catch (error) {
      // A body that broke off; a manifest is small enough to ask again.
      const known = registryError(askedOf(place, action), error)
      if (attempt === attempts || !(known instanceof RegistryError) || known.status !== undefined) throw known
    }
  }
}

function verifiedManifest(
  place: Place,
  name: string,
  { response, bytes }: { readonly response: HttpResponse; readonly bytes: Uint8Array },
): ManifestBytes {
  const what = `the manifest ${name} of ${place.server.registry}/${place.path}`
  const digest = digestOf(bytes)
  const said = response.header('docker-content-digest')
  const wanted = isDigest(name) ? name : said !== undefined && isDigest(said) ? said : digest
  if (digest !== wanted) {
    throw new UserError(`${what} came with digest ${digest} instead of ${wanted}`, {
      hint: 'the registry, a mirror or a proxy damaged it; try again',
    })
  }
  const mediaType = mediaTypeOf(what, response.header('content-type'), bytes)
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
}

/** What it says itself counts more than the header; a contradiction is no manifest (image-spec, manifest.md). */
function mediaTypeOf(what: string, header: string | undefined, bytes: Uint8Array): string {
  const sent = header?.split(';')[0]?.trim().toLowerCase() ?? ''
  const value = parse(what, bytes)
  const own = typeof value['mediaType'] === 'string' ? value['mediaType'] : undefined
  if (value['schemaVersion'] === 1 || sent.startsWith(schema1)) {
    throw new UserError(`${what} has the format of Docker schema 1`, {
      hint: 'it was deprecated in 2017 and has no digests of layers; push the image again with a current tool',
    })
  }
  if (own !== undefined) return own
  if (/manifest|index/.test(sent)) return sent
  return 'manifests' in value ? mediaTypes.ociIndex : mediaTypes.ociManifest
}

function parse(what: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below.
  }
  throw new UserError(`${what} is not JSON`, {
    hint: 'the server does not speak the protocol of registries, or a proxy answers instead',
  })
}

/** Digest, type and size without the bytes (HEAD). */
export async function findManifest(place: Place, name: string): Promise<Descriptor | undefined> {
  const url = `/v2/${place.path}/manifests/${name}`
  const action = `look for the manifest ${name} of`
  const response = await request(place, { url, method: 'HEAD', headers: { accept: accepted }, allow: [404] }, action)
  await response.discard()
  if (response.status === 404) return undefined
  const digest = response.header('docker-content-digest')
  const mediaType = response.header('content-type')
  const size = Number(response.header('content-length'))
  if (digest !== undefined && mediaType !== undefined && Number.isSafeInteger(size)) {
    return { digest: parseDigest(digest), mediaType, size }
  }
  // A server that says less to HEAD than to GET.
  return (await fetchManifest(place, name))?.descriptor
}

/** Distribution-spec, "Pushing Manifests". */
export async function publishManifest(
  place: Place,
  { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Uint8Array },
  tag: string | undefined,
): Promise<Descriptor> {
  const digest = digestOf(bytes)
  const name = tag ?? digest
  const action = `publish ${name} in`
  const response = await request(
    place,
    {
      url: `/v2/${place.path}/manifests/${name}`,
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes,
      scopes: [pushScope(place.path)],
    },
    action,
  )
  await response.discard()
  const said = response.header('docker-content-digest')
  if (said !== undefined && said !== digest) {
    throw new RegistryError(
      `${place.server.registry}/${place.path} published ${name} as ${printable(said)} instead of ${digest}`,
      { ...askedOf(place, action), hint: 'the registry, or a proxy before it, changed the manifest' },
    )
  }
  return { mediaType, digest, size: bytes.length }
}
