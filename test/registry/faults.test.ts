import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Http, openHttp } from '#http'
import { type Descriptor, digestOf, mediaTypes } from '#oci'
import { type Credentials, openRegistries, type Repository } from '#registry'
import { bodyOf, end, type Fault, type FaultyRegistry, sendRange, startFaultyRegistry } from './faulty-registry.ts'

const secret = 's3cret-password'
const credentials: Credentials = {
  find: () => Promise.resolve({ kind: 'password', username: 'mia', password: secret }),
}
const bytes = randomBytes(400_000)
const blob: Descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length }
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [] }),
)

let registry: FaultyRegistry
let other: FaultyRegistry
let http: Http

beforeEach(async () => {
  registry = await startFaultyRegistry()
  other = await startFaultyRegistry()
  http = openHttp({ env: {}, retry: { firstDelay: 10, attempts: 4 }, timeouts: { stall: 1500, headers: 3000 } })
})
afterEach(async () => {
  await http[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const repository = (who?: Credentials): Repository =>
  openRegistries({ http, ...(who && { credentials: who }) }).repository({ domain: registry.host, path: 'team/app' })

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 60_000) yield bytes.subarray(at, at + 60_000)
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

/** A fault for the first requests of a kind. */
function first(times: number, of: (method: string, path: string) => boolean, fault: Fault): Fault {
  let happened = 0
  return (request, response, faulty) => {
    if (happened >= times || !of(request.method ?? '', request.url ?? '')) return false
    happened++
    return fault(request, response, faulty)
  }
}

const isRead = (method: string, path: string): boolean => method === 'GET' && path.includes('/blobs/')
const isUpload =
  (wanted: string) =>
  (method: string, path: string): boolean =>
    method === wanted && path.includes('/blobs/uploads/')

describe('reading a blob', () => {
  beforeEach(() => registry.blobs.set(blob.digest, bytes))

  test.for<[string, () => Fault]>([
    ['429 with Retry-After', () => (_, response) => (end(response, 429, { 'retry-after': '0' }), true)],
    ['500', () => (_, response) => (end(response, 500), true)],
    ['503 with a page of HTML', () => (_, response) => (end(response, 503, {}, '<html>later</html>'), true)],
    ['a connection closed before the answer', () => request => (request.socket.destroy(), true)],
    [
      'a connection closed in the middle',
      () => (_, response) => {
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, 100_000), () => response.destroy())
        return true
      },
    ],
    [
      'a stall in the middle',
      () => (_, response) => {
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, 100_000))
        return true
      },
    ],
    [
      'a slow drip',
      () => async (_, response) => {
        response.writeHead(200, { 'content-length': bytes.length })
        for (let at = 0; at < bytes.length; at += 100_000) {
          response.write(bytes.subarray(at, at + 100_000))
          await sleep(100)
        }
        response.end()
        return true
      },
    ],
  ])('%s: the right bytes come in the end', async ([, fault]) => {
    registry.fault = first(2, isRead, fault())
    expect((await collect(repository().read(blob))).equals(bytes)).toBe(true)
  })

  test('what broke off is not asked for again', async () => {
    registry.fault = first(1, isRead, (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 100_000), () => response.destroy())
      return true
    })
    await collect(repository().read(blob))
    const ranges = registry.seen.filter(each => each.path.includes('/blobs/')).map(each => each.headers.range)
    expect(ranges).toHaveLength(2)
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/)
  })

  test('a range refused with 416: everything comes again, and only what is new is taken', async () => {
    let reads = 0
    registry.fault = (request, response) => {
      if (!isRead(request.method ?? '', request.url ?? '')) return false
      reads++
      if (reads === 1) {
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, 100_000), () => response.destroy())
      } else if (request.headers.range !== undefined) end(response, 416)
      else sendRange(request, response, { bytes, type: 'x' })
      return true
    }
    expect((await collect(repository().read(blob))).equals(bytes)).toBe(true)
  })

  test('307 to another host: credentials stay behind', async () => {
    other.blobs.set(blob.digest, bytes)
    registry.fault = (request, response) => {
      if (request.headers.authorization === undefined) {
        end(response, 401, { 'www-authenticate': 'Basic realm="x"' })
        return true
      }
      if (!isRead(request.method ?? '', request.url ?? '')) return false
      end(response, 307, { location: `http://${other.host}/v2/storage/blobs/${blob.digest}` })
      return true
    }
    expect((await collect(repository(credentials).read(blob))).equals(bytes)).toBe(true)
    expect(other.seen).toHaveLength(1)
    expect(other.seen[0]?.headers.authorization).toBeUndefined()
  })

  test.for<[string, Buffer]>([
    ['other bytes of the same length', Buffer.concat([bytes.subarray(1), Buffer.of(1)])],
    ['too few', bytes.subarray(0, -1)],
    ['too many', Buffer.concat([bytes, Buffer.of(1)])],
  ])('%s are an error', async ([, wrong]) => {
    registry.blobs.set(blob.digest, wrong)
    await expect(collect(repository().read(blob))).rejects.toThrow(/instead of/)
  })

  test('an error that stays names registry, repository, status and what to do', async () => {
    registry.fault = (request, response) => {
      if (!isRead(request.method ?? '', request.url ?? '')) return false
      end(response, 403, {}, '{"errors":[{"code":"DENIED","message":"not \\u001b[31myou"}]}')
      return true
    }
    await expect(collect(repository().read(blob))).rejects.toMatchObject({
      message: `cannot read blob ${blob.digest} of ${registry.host}/team/app: ${registry.host} answered 403: denied (not  [31myou)`,
      hint: expect.stringContaining(`slipway login ${registry.host}`) as string,
    })
  })
})

describe('reading a manifest', () => {
  beforeEach(() => registry.manifests.set('one', { type: mediaTypes.ociManifest, bytes: manifest }))

  test('a body that breaks off is asked for again', async () => {
    registry.fault = first(
      1,
      (method, path) => path.endsWith('/one') && method === 'GET',
      (_, response) => {
        response.writeHead(200, { 'content-length': manifest.length })
        response.write(manifest.subarray(0, 10), () => response.destroy())
        return true
      },
    )
    expect(Buffer.from((await repository().resolve('one'))?.bytes ?? []).equals(manifest)).toBe(true)
  })

  test('bytes that are not those of the digest are an error', async () => {
    const digest = digestOf('another manifest')
    registry.manifests.set(digest, { type: mediaTypes.ociManifest, bytes: manifest })
    await expect(repository().resolve(digest)).rejects.toThrow(/came with digest/)
    registry.fault = (request, response) => {
      if (!(request.url ?? '').endsWith('/one')) return false
      end(response, 200, { 'docker-content-digest': digest }, manifest.toString())
      return true
    }
    await expect(repository().resolve('one')).rejects.toThrow(/came with digest/)
  })

  test('one without end is not read to its end', async () => {
    registry.manifests.set('huge', { type: mediaTypes.ociManifest, bytes: Buffer.alloc(5 << 20, ' ') })
    await expect(repository().resolve('huge')).rejects.toThrow(/larger than/)
  })

  test('Docker schema 1 is refused by its name', async () => {
    const old = Buffer.from('{"schemaVersion":1,"name":"x","fsLayers":[]}')
    registry.manifests.set('old', { type: 'application/vnd.docker.distribution.manifest.v1+prettyjws', bytes: old })
    await expect(repository().resolve('old')).rejects.toThrow(/schema 1/)
  })
})

describe('writing a blob', () => {
  const write = (): Promise<unknown> => repository().upload(() => pieces())
  const stored = (where = registry): boolean => where.blobs.get(blob.digest)?.equals(bytes) === true

  test.for<[string, string, Fault]>([
    ['POST answered 503', 'POST', (_, response) => (end(response, 503), true)],
    ['POST answered 429', 'POST', (_, response) => (end(response, 429, { 'retry-after': '0' }), true)],
    ['PATCH answered 500 at once', 'PATCH', (_, response) => (end(response, 500), true)],
    ['PATCH broken off', 'PATCH', request => (request.once('data', () => request.socket.destroy()), true)],
    ['PATCH answered 416', 'PATCH', async (request, response) => (await bodyOf(request), end(response, 416), true)],
    [
      'PATCH for an upload that is gone',
      'PATCH',
      async (request, response) => (await bodyOf(request), end(response, 404), true),
    ],
    ['PUT answered 500', 'PUT', (_, response) => (end(response, 500), true)],
  ])('%s: the blob is there in the end', async ([, method, fault]) => {
    registry.fault = first(2, isUpload(method), fault)
    await write()
    expect(stored()).toBe(true)
  })

  test('an answer to PUT that is lost', async () => {
    registry.fault = first(1, isUpload('PUT'), (request, _, faulty) => {
      faulty.blobs.set(blob.digest, bytes)
      request.socket.destroy()
      return true
    })
    await write()
    expect(stored()).toBe(true)
  })

  test.for([411, 413])('PATCH without end answered %i: it comes in pieces whose length is known', async status => {
    registry.fault = async (request, response) => {
      if (request.method !== 'PATCH' || request.headers['content-length'] !== undefined) return false
      await bodyOf(request)
      end(response, status)
      return true
    }
    await write()
    expect(stored()).toBe(true)
    const ranges = registry.seen.flatMap(each => each.headers['content-range'] ?? [])
    expect(ranges).toEqual([`0-${bytes.length - 1}`])
  })

  test('a registry without PATCH gets the blob with PUT', async () => {
    registry.fault = async (request, response) => {
      if (request.method !== 'PATCH') return false
      await bodyOf(request)
      end(response, 405)
      return true
    }
    await write()
    expect(stored()).toBe(true)
  })

  test('307 to another host takes the upload there, without the password', async () => {
    registry.fault = (request, response) => {
      if (request.headers.authorization === undefined) {
        end(response, 401, { 'www-authenticate': 'Basic realm="x"' })
        return true
      }
      if (request.method !== 'POST') return false
      end(response, 307, { location: `http://${other.host}${request.url}` })
      return true
    }
    await repository(credentials).upload(() => pieces())
    expect(stored(other)).toBe(true)
    expect(other.seen.map(each => each.headers.authorization)).toEqual([undefined, undefined, undefined])
  })

  test('a Location at another host is followed', async () => {
    registry.fault = async (request, response) => {
      if (request.method !== 'POST') return false
      await bodyOf(request)
      const begun = await fetch(`http://${other.host}/v2/x/blobs/uploads/`, { method: 'POST' })
      end(response, 202, { location: `http://${other.host}${begun.headers.get('location')}` })
      return true
    }
    await write()
    expect(stored(other)).toBe(true)
  })

  test('a registry that stores something else is an error', async () => {
    registry.fault = (request, response) => {
      if (request.method !== 'PUT') return false
      end(response, 201, { 'docker-content-digest': digestOf('something else') })
      return true
    }
    await expect(write()).rejects.toThrow(/under another digest/)
  })

  test('what the source throws is thrown, and nothing is published', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1000)
      await sleep(1)
      throw new Error('the disk is gone')
    }
    await expect(repository().upload(broken)).rejects.toThrow('the disk is gone')
    expect(registry.blobs.size).toBe(0)
    expect(registry.seen.at(-1)?.method).toBe('DELETE')
  })

  test('a mount answered 202 is none, and the upload that it began is given up', async () => {
    registry.fault = first(1, isUpload('POST'), (_, response) => {
      end(response, 202, { location: '/v2/team/app/blobs/uploads/begun' })
      return true
    })
    expect(await repository().mount(blob, 'team/base')).toBe(false)
    expect(registry.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/v2/team/app/blobs/uploads/begun' })
  })
})

describe('authentication', () => {
  beforeEach(() => registry.blobs.set(blob.digest, bytes))

  /** Wants a token of the other server, which counts how many it gave. */
  const wantsToken =
    (challenge: (realm: string) => string | string[]): Fault =>
    (request, response) => {
      if (request.headers.authorization?.startsWith('Bearer good') === true) return false
      response.writeHead(401, { 'www-authenticate': challenge(`http://${other.host}/token`) })
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
      return true
    }
  const tokens = (body: object): Fault => {
    return (request, response) => {
      if (!(request.url ?? '').startsWith('/token')) return false
      end(response, 200, {}, JSON.stringify(body))
      return true
    }
  }

  test.for<[string, (realm: string) => string | string[]]>([
    ['one', realm => `Bearer realm="${realm}",service="a, b"`],
    ['several in one line', realm => `Negotiate, Basic realm="x, y", Bearer realm="${realm}",service="a, b"`],
    ['several lines', realm => ['Basic realm="quo\\"ted"', `bearer service="a, b", realm="${realm}"`]],
  ])('%s: the token server is asked, with the right service', async ([, challenge]) => {
    registry.fault = wantsToken(challenge)
    other.fault = tokens({ access_token: 'good' })
    const read = repository(credentials)
    await collect(read.read(blob))
    await read.has(blob)
    expect(other.seen).toHaveLength(1)
    const { searchParams } = new URL(other.seen[0]?.path ?? '', 'http://x')
    expect(searchParams.get('service')).toBe('a, b')
    expect(searchParams.getAll('scope')).toEqual(['repository:team/app:pull'])
  })

  test('a token that is no longer good is replaced once, then it is an error', async () => {
    registry.fault = wantsToken(realm => `Bearer realm="${realm}",scope="repository:team/app:pull,push registry:x:*"`)
    other.fault = tokens({ token: 'bad' })
    await expect(repository(credentials).has(blob)).rejects.toMatchObject({ status: 401 })
    expect(other.seen.length).toBeLessThanOrEqual(3)
    expect(other.seen.at(-1)?.path).toContain('registry%3Ax%3A*')
  })

  test.for<[string, object]>([
    ['no token', {}],
    ['a token that would split the header', { token: 'good\r\nx: y' }],
  ])('%s is an error', async ([, body]) => {
    registry.fault = wantsToken(realm => `Bearer realm="${realm}"`)
    other.fault = tokens(body)
    const error = await repository(credentials)
      .has(blob)
      .catch((e: unknown) => e)
    expect(String(error)).toContain('without a token')
    expect(JSON.stringify(error) + (error as Error).stack).not.toContain(secret)
  })

  test('an authentication that nobody knows is named', async () => {
    registry.fault = (_, response) => {
      end(response, 401, { 'www-authenticate': 'Negotiate abc==' })
      return true
    }
    await expect(repository(credentials).has(blob)).rejects.toThrow(/negotiate/)
  })
})

describe('mirrors', () => {
  const mirrored = (): Repository =>
    openRegistries({ http, mirrors: new Map([[registry.host, [`${other.host}/hub`]]]) }).repository({
      domain: registry.host,
      path: 'team/app',
    })

  test('are asked first, and the registry for what they cannot give', async () => {
    registry.blobs.set(blob.digest, bytes)
    registry.manifests.set('one', { type: mediaTypes.ociManifest, bytes: manifest })
    other.blobs.set(blob.digest, bytes)
    expect((await collect(mirrored().read(blob))).equals(bytes)).toBe(true)
    expect(registry.seen).toHaveLength(0)
    expect(other.seen.at(-1)?.path).toBe(`/v2/hub/team/app/blobs/${blob.digest}`)
    expect(await mirrored().resolve('one')).toBeDefined()
    other.fault = (_, response) => (end(response, 502), true)
    expect((await collect(mirrored().read(blob))).equals(bytes)).toBe(true)
  })
})
