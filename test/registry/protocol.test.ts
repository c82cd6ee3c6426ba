import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Http, openHttp } from '#http'
import { type Descriptor, digestOf, mediaTypes } from '#oci'
import { openRegistries, type Repository } from '#registry'
import { hasRegistry, type RunningRegistry, startRegistry } from './debian-registry.ts'

let registry: RunningRegistry
let http: Http

beforeAll(async () => {
  if (!hasRegistry) return
  registry = await startRegistry()
  http = openHttp({ env: {} })
})
afterAll(async () => {
  await http?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
})

const repository = (path: string): Repository => openRegistries({ http }).repository({ domain: registry.host, path })

async function* pieces(bytes: Buffer, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

const descriptorOf = (bytes: Buffer): Descriptor => ({
  mediaType: 'application/octet-stream',
  digest: digestOf(bytes),
  size: bytes.length,
})

describe.skipIf(!hasRegistry)("Debian's registry", () => {
  test('a blob goes there and comes back', async () => {
    const to = repository('a/blobs')
    const bytes = randomBytes(3_000_000)
    const descriptor = descriptorOf(bytes)
    expect(await to.has(descriptor)).toBe(false)
    await to.write(descriptor, pieces(bytes))
    expect(await to.has(descriptor)).toBe(true)
    expect((await collect(to.read(descriptor))).equals(bytes)).toBe(true)
  })

  test('a blob whose digest is known at its end only', async () => {
    const to = repository('a/unknown')
    const bytes = randomBytes(2_000_000)
    const stored = await to.upload(() => pieces(bytes))
    expect(stored).toEqual({ size: bytes.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` })
    expect(await to.has({ mediaType: '', ...stored })).toBe(true)
  })

  test('the empty blob', async () => {
    const to = repository('a/empty')
    const stored = await to.upload(() => pieces(Buffer.alloc(0)))
    expect(await collect(to.read({ mediaType: '', ...stored }))).toHaveLength(0)
  })

  test('bytes that are not what was announced are not published', async () => {
    const to = repository('a/wrong')
    const bytes = randomBytes(1000)
    const other = { ...descriptorOf(bytes), digest: digestOf('something else') }
    await expect(to.write(other, pieces(bytes))).rejects.toThrow(/has digest/)
    expect(await to.has(other)).toBe(false)
  })

  test('mounting from another repository', async () => {
    const bytes = randomBytes(50_000)
    const descriptor = descriptorOf(bytes)
    await repository('a/from').write(descriptor, pieces(bytes))
    const to = repository('a/to')
    expect(await to.mount(descriptor, 'a/from')).toBe(true)
    expect(await to.has(descriptor)).toBe(true)
    expect(await to.mount(descriptorOf(randomBytes(10)), 'a/from')).toBe(false)
  })

  test('manifests by tag and digest; tags', async () => {
    const to = repository('a/manifests')
    expect(await to.resolve('none')).toBeUndefined()
    const config = Buffer.from('{}')
    await to.write(descriptorOf(config), pieces(config))
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { ...descriptorOf(config), mediaType: mediaTypes.ociConfig },
        layers: [],
      }),
    )
    const published = await to.publish({ mediaType: mediaTypes.ociManifest, bytes }, 'one')
    await to.publish({ mediaType: mediaTypes.ociManifest, bytes }, 'another')
    expect(published.digest).toBe(digestOf(bytes))
    for (const name of ['one', published.digest]) {
      const found = await to.resolve(name)
      expect(found?.descriptor).toEqual(published)
      expect(Buffer.from(found?.bytes ?? []).equals(bytes)).toBe(true)
    }
    expect(await to.find('one')).toEqual(published)
    expect(await to.tags()).toEqual(['another', 'one'])
  })

  test('a manifest whose blobs are missing is refused', async () => {
    const to = repository('a/incomplete')
    const missing = { mediaType: mediaTypes.ociConfig, digest: digestOf('nowhere'), size: 7 }
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: missing, layers: [] }),
    )
    await expect(to.publish({ mediaType: mediaTypes.ociManifest, bytes }, 'one')).rejects.toThrow(/blob unknown/)
    expect(await to.resolve('one')).toBeUndefined()
  })
})
