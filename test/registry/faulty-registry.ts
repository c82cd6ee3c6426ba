import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A request as it came. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** Answers in place of the registry and says so with `true`; `count` is how often this method and path came before. */
export type Fault = (
  request: IncomingMessage & { readonly count: number },
  response: ServerResponse,
  registry: FaultyRegistry,
) => boolean | Promise<boolean>

/** A registry of the tests that does what it should, except where a fault says otherwise. */
export interface FaultyRegistry extends AsyncDisposable {
  readonly host: string
  readonly seen: readonly Seen[]
  /** By digest. */
  readonly blobs: Map<string, Buffer>
  /** By tag and digest. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>
  /** What lacked something at the moment when it was published: name and digest. */
  readonly incomplete: string[]
  fault: Fault
}

const none: Fault = () => false

/** Starts one on a free port of 127.0.0.1. */
export async function startFaultyRegistry(fault: Fault = none): Promise<FaultyRegistry> {
  const seen: Seen[] = []
  const uploads = new Map<string, Buffer>()
  const blobs = new Map<string, Buffer>()
  const manifests: FaultyRegistry['manifests'] = new Map()
  const incomplete: string[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/'
    const method = request.method ?? ''
    const count = seen.filter(each => each.method === method && each.path === path).length
    seen.push({ method, path, headers: request.headers })
    request.on('error', () => undefined)
    if (await registry.fault(Object.assign(request, { count }), response, registry)) return
    await answer(request, response, { uploads, blobs, manifests, incomplete })
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const registry: FaultyRegistry = {
    host: `127.0.0.1:${address.port}`,
    seen,
    blobs,
    manifests,
    incomplete,
    fault,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return registry
}

interface Stored extends Pick<FaultyRegistry, 'blobs' | 'manifests' | 'incomplete'> {
  readonly uploads: Map<string, Buffer>
}

async function answer(request: IncomingMessage, response: ServerResponse, stored: Stored): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const [, name = '', kind = '', rest = ''] =
    /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags)\/(.*)$/.exec(url.pathname) ?? []
  if (url.pathname === '/v2/') return end(response, 200)
  if (kind === 'blobs/uploads') return upload(request, response, { ...stored, url, name, id: rest })
  const found = kind === 'blobs' ? stored.blobs.get(rest) : stored.manifests.get(rest)?.bytes
  if (request.method === 'PUT') {
    const bytes = await bodyOf(request)
    const digest = digestOf(bytes)
    stored.incomplete.push(...missingOf(bytes, stored).map(missing => `${rest}: ${missing}`))
    const manifest = { type: request.headers['content-type'] ?? '', bytes }
    stored.manifests.set(rest, manifest)
    stored.manifests.set(digest, manifest)
    return end(response, 201, { 'docker-content-digest': digest })
  }
  if (found === undefined) return end(response, 404, {}, '{"errors":[{"code":"BLOB_UNKNOWN","message":"not here"}]}')
  const type = kind === 'blobs' ? 'application/octet-stream' : (stored.manifests.get(rest)?.type ?? '')
  sendRange(request, response, { bytes: found, type })
}

/** Digests that a manifest or an index names, directly or below, and that are not there or have another size. */
export function missingOf(bytes: Buffer, { blobs, manifests }: Pick<FaultyRegistry, 'blobs' | 'manifests'>): string[] {
  interface Named {
    readonly digest: string
    readonly size: number
  }
  const {
    config,
    layers = [],
    manifests: children = [],
  } = JSON.parse(bytes.toString()) as {
    readonly config?: Named
    readonly layers?: readonly Named[]
    readonly manifests?: readonly Named[]
  }
  const here = [...(config ? [config] : []), ...layers]
  return [
    ...here.flatMap(({ digest, size }) => (blobs.get(digest)?.length === size ? [] : [digest])),
    ...children.flatMap(({ digest }) => {
      const child = manifests.get(digest)
      return child === undefined ? [digest] : missingOf(child.bytes, { blobs, manifests })
    }),
  ]
}

/** With ranges. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, type }: { readonly bytes: Buffer; readonly type: string },
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const head = { 'content-type': type, 'docker-content-digest': digestOf(bytes), 'content-length': bytes.length - from }
  if (from > 0)
    response.writeHead(206, { ...head, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
  else response.writeHead(200, head)
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(from))
}

async function upload(
  request: IncomingMessage,
  response: ServerResponse,
  { uploads, blobs, url, name, id }: Stored & { readonly url: URL; readonly name: string; readonly id: string },
): Promise<void> {
  if (request.method === 'POST') {
    await bodyOf(request)
    const mount = url.searchParams.get('mount')
    if (mount !== null && blobs.has(mount)) return end(response, 201)
    const fresh = randomUUID()
    uploads.set(fresh, Buffer.alloc(0))
    return end(response, 202, { location: `/v2/${name}/blobs/uploads/${fresh}` })
  }
  const before = uploads.get(id)
  if (before === undefined) return end(response, 404)
  if (request.method === 'DELETE') {
    uploads.delete(id)
    return end(response, 204)
  }
  const bytes = Buffer.concat([before, await bodyOf(request)])
  uploads.set(id, bytes)
  if (request.method === 'PATCH') return end(response, 202, { location: url.pathname, range: `0-${bytes.length - 1}` })
  const digest = url.searchParams.get('digest') ?? ''
  if (digestOf(bytes) !== digest)
    return end(response, 400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"other bytes"}]}')
  uploads.delete(id)
  blobs.set(digest, bytes)
  end(response, 201, { 'docker-content-digest': digest })
}

/** Ends an answer. */
export function end(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): void {
  response.writeHead(status, headers)
  response.end(body)
}

/** The whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
