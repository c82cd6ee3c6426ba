import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { type LocalServer, openLocalServer } from '../../test/local-server.ts'
import { type Http, HttpError, type HttpOptions, openHttp, speaksNoTls } from './index.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(handler: RequestListener): Promise<LocalServer> {
  const server = await openLocalServer(handler)
  cleanups.push(server.close)
  return server
}

function open(options: Partial<HttpOptions> = {}): Http {
  const http = openHttp({ env: {}, retry: { attempts: 3, firstDelay: 5, maxDelay: 2000 }, ...options })
  cleanups.push(() => http[Symbol.asyncDispose]())
  return http
}

/** Answers in turn, the last one for ever. */
function inTurn(...handlers: readonly RequestListener[]): RequestListener {
  let turn = 0
  return (request, response) => handlers[Math.min(turn++, handlers.length - 1)]?.(request, response)
}

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): RequestListener =>
  (_request, response) =>
    void response.writeHead(code, headers).end(body)

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function failure(promise: Promise<unknown>): Promise<HttpError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(HttpError)
  return error as HttpError
}

describe('request', () => {
  test('gives status, headers and body', async () => {
    const { url } = await serve(status(203, { 'X-Thing': 'yes' }, 'hello'))
    const response = await open().request({ url })
    expect([response.status, response.header('x-thing'), response.header('x-other')]).toEqual([203, 'yes', undefined])
    expect((await response.bytes(10)).toString()).toBe('hello')
  })

  test('refuses a body above the limit', async () => {
    const { url } = await serve(status(200, {}, 'x'.repeat(100)))
    const response = await open().request({ url })
    await expect(response.bytes(99)).rejects.toThrow(/larger than 99 bytes/)
  })

  test.each([408, 425, 429, 500, 502, 503, 504])('tries again after %i', async code => {
    const { url, requests } = await serve(inTurn(status(code), status(code), status(200, {}, 'ok')))
    expect((await (await open().request({ url })).bytes(10)).toString()).toBe('ok')
    expect(requests).toHaveLength(3)
  })

  test.each([400, 401, 403, 404, 410, 501])('does not try again after %i, and names host and status', async code => {
    const { url, requests } = await serve(status(code, {}, 'because'))
    const error = await failure(open().request({ url: `${url}/a/b` }))
    expect(error.message).toContain(new URL(url).host)
    expect(error.message).toContain(`${code}`)
    expect([error.status, error.body, error.url]).toEqual([code, 'because', `${url}/a/b`])
    expect(requests).toHaveLength(1)
  })

  test('gives up after the policy', async () => {
    const { url, requests } = await serve(status(503))
    expect((await failure(open().request({ url }))).status).toBe(503)
    expect(requests).toHaveLength(3)
  })

  test('hands over statuses that the caller allows', async () => {
    const { url } = await serve(status(401, { 'www-authenticate': 'Bearer' }))
    const response = await open().request({ url, allow: [401] })
    expect([response.status, response.header('www-authenticate')]).toEqual([401, 'Bearer'])
    await response.discard()
  })

  test('waits as long as Retry-After says', async () => {
    const { url } = await serve(inTurn(status(429, { 'retry-after': '1' }), status(200)))
    const begin = performance.now()
    await (await open().request({ url })).discard()
    expect(performance.now() - begin).toBeGreaterThan(950)
  })

  test('does not wait longer than the policy allows', async () => {
    const { url, requests } = await serve(status(429, { 'retry-after': '3600' }))
    expect((await failure(open().request({ url }))).status).toBe(429)
    expect(requests).toHaveLength(1)
  })

  test('a broken connection is tried again for GET, not for POST', async () => {
    const broken: RequestListener = (_request, response) => void response.socket?.destroy()
    const { url, requests } = await serve(inTurn(broken, status(200), broken, status(200)))
    const http = open()
    await (await http.request({ url })).discard()
    expect(requests).toHaveLength(2)
    await failure(http.request({ url, method: 'POST', body: Buffer.from('x') }))
    expect(requests).toHaveLength(3)
  })

  test('sends a streamed body anew with each attempt', async () => {
    const bodies: string[] = []
    let turn = 0
    const { url } = await serve((request, response) => {
      void collect(request).then(body => {
        bodies.push(body.toString())
        response.writeHead(turn++ === 0 ? 503 : 201).end()
      })
    })
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one')
      yield Buffer.from('two')
    }
    const response = await open().request({ url, method: 'PUT', body, headers: { 'content-length': '6' } })
    await response.discard()
    expect([response.status, ...bodies]).toEqual([201, 'onetwo', 'onetwo'])
  })

  test('tells a server without TLS from one that refuses it', async () => {
    const plain = await serve(status(200))
    const without = await failure(open().request({ url: plain.url.replace('http:', 'https:') }))
    expect([without.message, speaksNoTls(without)]).toEqual([expect.stringMatching(/: it does not speak TLS$/), true])
    const ciphers = 'PSK-AES128-CBC-SHA'
    const server = createServer({ maxVersion: 'TLSv1.2', ciphers, pskCallback: () => null })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    cleanups.push(() => server.close())
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const refused = await failure(open().request({ url }))
    expect(refused.message).toMatch(/: it refused the TLS connection \(handshake failure\)$/)
    expect([refused.hint, speaksNoTls(refused)]).toEqual([expect.stringContaining('client certificate'), false])
  })

  test('names a host that refuses connections', async () => {
    const { url, server } = await serve(status(200))
    await new Promise(resolve => server.close(resolve))
    const error = await failure(open().request({ url }))
    expect(error.message).toBe(`cannot reach ${new URL(url).host}: connection refused`)
    expect(error.status).toBeUndefined()
  })

  test('a host that nobody reached is given up soon, one that answered before is waited for', async () => {
    const { url, server, requests } = await serve(inTurn(status(200)))
    const { port } = new URL(url)
    const patient = open({ retry: { attempts: 30, firstDelay: 100, maxDelay: 100 } })
    await (await patient.request({ url, headers: { connection: 'close' } })).discard()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    // A pause of a minute would be the first one of this policy.
    const strange = open({ retry: { attempts: 5, firstDelay: 60_000 } })
    expect((await failure(strange.request({ url }))).message).toContain('connection refused')
    const again = patient.request({ url })
    setTimeout(() => server.listen(Number(port), '127.0.0.1'), 700)
    await (await again).discard()
    expect(requests).toHaveLength(2)
  })

  test('a server that never answers is an error', async () => {
    const { url } = await serve(() => undefined)
    const http = open({ timeouts: { headers: 100 }, retry: { attempts: 1 } })
    expect((await failure(http.request({ url }))).message).toContain('no answer in time')
  })

  test('an abort ends at once with its reason', async () => {
    const { url } = await serve(() => undefined)
    const reason = new Error('enough')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 50)
    await expect(open().request({ url, signal: controller.signal })).rejects.toBe(reason)
    await expect(open().request({ url, signal: controller.signal })).rejects.toBe(reason)
  })

  test('an abort ends a pause', async () => {
    const { url } = await serve(status(503))
    const reason = new Error('enough')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 50)
    const http = open({ retry: { attempts: 5, firstDelay: 60_000 } })
    await expect(http.request({ url, signal: controller.signal })).rejects.toBe(reason)
  })

  test('credentials of the address are sent, and not shown', async () => {
    const { url, requests } = await serve(status(404))
    const error = await failure(open().request({ url: url.replace('//', '//me:se%3Acret@') }))
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:se:cret').toString('base64')}`)
    expect(JSON.stringify([error.message, error.url])).not.toMatch(/cret|me:/)
  })

  test('only http and https', async () => {
    await expect(open().request({ url: 'ftp://host/file' })).rejects.toThrow(/unsupported address ftp:/)
  })
})

describe('redirects', () => {
  test('credentials stay with their host', async () => {
    const other = await serve(status(200, {}, 'there'))
    const { url, requests } = await serve(
      inTurn(status(302, { location: '/second' }), status(307, { location: `${other.url}/third` })),
    )
    const response = await open().request({ url, headers: { Authorization: 'Bearer x', 'X-Kept': '1' } })
    expect([response.url, (await response.bytes(10)).toString()]).toEqual([`${other.url}/third`, 'there'])
    expect(requests.map(r => r.headers.authorization)).toEqual(['Bearer x', 'Bearer x'])
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
    expect(other.requests[0]?.headers['x-kept']).toBe('1')
  })

  test.each([
    [301, 'GET'],
    [302, 'GET'],
    [303, 'GET'],
    [307, 'POST'],
    [308, 'POST'],
  ])('POST after %i becomes %s', async (code, method) => {
    const { url, requests } = await serve(inTurn(status(code, { location: '/x' }), status(200)))
    await (await open().request({ url, method: 'POST', body: Buffer.from('data') })).discard()
    expect(requests[1]?.method).toBe(method)
    expect(requests[1]?.headers['content-length']).toBe(method === 'POST' ? '4' : undefined)
  })

  test('circles end', async () => {
    const { url, requests } = await serve(status(302, { location: '/' }))
    expect((await failure(open().request({ url }))).message).toContain('redirects more than 10 times')
    expect(requests).toHaveLength(11)
  })

  test('other schemes are refused', async () => {
    const { url } = await serve(status(302, { location: 'file:///etc/passwd' }))
    expect((await failure(open().request({ url }))).message).toContain('address that cannot be used')
  })
})

describe('download', () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))

  /** Serves `content`, cutting each connection after `cut` bytes. */
  function cutting(cut: number, options: { ranges: boolean; etag?: (turn: number) => string }): RequestListener {
    let turn = 0
    return (request, response) => {
      const start = options.ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
      const etag = options.etag?.(turn++) ?? '"v1"'
      const part = start > 0 && (request.headers['if-range'] ?? etag) === etag
      const from = part ? start : 0
      response.writeHead(part ? 206 : 200, {
        etag,
        'content-length': content.length - from,
        ...(part && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
      })
      const rest = content.subarray(from)
      if (rest.length <= cut) response.end(rest)
      else response.write(rest.subarray(0, cut), () => setTimeout(() => response.destroy(), 20))
    }
  }

  test('goes on where the connection broke', async () => {
    const { url, requests } = await serve(cutting(60_000, { ranges: true }))
    const bytes = await collect(open().download({ url, size: content.length }))
    expect(bytes.equals(content)).toBe(true)
    expect(requests.map(r => r.headers.range)).toEqual([
      undefined,
      'bytes=60000-',
      'bytes=120000-',
      'bytes=180000-',
      'bytes=240000-',
    ])
    expect(requests[1]?.headers['if-range']).toBe('"v1"')
  })

  test('starts over silently where the server knows no ranges', async () => {
    let cut = 60_000
    const { url, requests } = await serve((request, response) => {
      cutting(cut, { ranges: false })(request, response)
      cut += 150_000
    })
    const bytes = await collect(open().download({ url }))
    expect(bytes.equals(content)).toBe(true)
    expect(requests).toHaveLength(3)
  })

  test('does not join two versions of a file', async () => {
    const { url } = await serve(cutting(60_000, { ranges: true, etag: turn => `"v${turn}"` }))
    const error = await failure(collect(open().download({ url })))
    expect(error.message).toContain('changed the file during the download')
  })

  test('takes up a stalled connection', async () => {
    let turn = 0
    const { url, requests } = await serve((request, response) => {
      if (turn++ > 0) return cutting(Number.POSITIVE_INFINITY, { ranges: true })(request, response)
      response.writeHead(200, { etag: '"v1"', 'content-length': content.length })
      response.write(content.subarray(0, 1000))
    })
    const http = open({ timeouts: { stall: 100 } })
    expect((await collect(http.download({ url }))).equals(content)).toBe(true)
    expect(requests).toHaveLength(2)
  })

  test('gives up when nothing new comes', async () => {
    const { url, requests } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.flushHeaders()
      setTimeout(() => response.destroy(), 10)
    })
    expect((await failure(collect(open().download({ url })))).message).toMatch(/connection (broke|reset)/)
    expect(requests).toHaveLength(3)
  })

  test.each([
    ['more', content.length - 1],
    ['fewer', content.length + 1],
  ])('%s bytes than expected are an error', async (_name, size) => {
    const { url } = await serve(status(200, {}, 'x'.repeat(content.length)))
    const error = await failure(collect(open().download({ url, size })))
    expect(error.message).toMatch(new RegExp(`instead of ${size} for /`))
  })
})

describe('proxies', () => {
  test('plain http goes through http_proxy, except for no_proxy', async () => {
    const proxy = await serve((request, response) => void response.end(`proxied ${request.url}`))
    const direct = await serve(status(200, {}, 'direct'))
    const env = { http_proxy: proxy.url.replace('//', '//user:pw@'), no_proxy: `127.0.0.1:${new URL(direct.url).port}` }
    const http = open({ env })
    const text = async (url: string): Promise<string> => (await (await http.request({ url })).bytes(100)).toString()
    expect(await text('http://repository.example/x')).toBe('proxied http://repository.example/x')
    expect(proxy.requests[0]?.headers['proxy-authorization']).toBe(`Basic ${Buffer.from('user:pw').toString('base64')}`)
    expect(await text(direct.url)).toBe('direct')
  })

  test('https goes through a tunnel; an unreachable proxy is named', async () => {
    const tunnels: string[] = []
    const proxy = await serve(status(500))
    proxy.server.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '')
      const target = connect(1, '127.0.0.1')
      target.on('error', () => socket.destroy())
    })
    const http = open({ env: { HTTPS_PROXY: proxy.url }, retry: { attempts: 1 } })
    const error = await failure(http.request({ url: 'https://repository.example/x' }))
    expect(tunnels).toEqual(['repository.example:443'])
    expect(error.message).toContain(`through the proxy ${new URL(proxy.url).host}`)
  })
})

test('a certificate file that cannot be read is named', async () => {
  const http = open({ env: { SSL_CERT_FILE: '/nonexistent/ca.pem' } })
  await expect(http.request({ url: 'https://127.0.0.1:1/' })).rejects.toThrow('/nonexistent/ca.pem')
  const directory = mkdtempSync(join(tmpdir(), 'slipway-http-'))
  cleanups.push(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'empty.pem'), 'nothing')
  const empty = open({ caFiles: [join(directory, 'empty.pem')], env: {} })
  await expect(empty.request({ url: 'https://127.0.0.1:1/' })).rejects.toThrow('holds no certificate')
})
