import { createHash } from 'node:crypto'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { readArchive } from './tar-archive.ts'

/** An image as an archive holds it: its configuration and its uncompressed layers, lowest first. */
export interface ArchivedImage {
  readonly config: Readonly<Record<string, unknown>>
  readonly layers: readonly Buffer[]
}

type Files = ReadonlyMap<string, Buffer>
type Json = Readonly<Record<string, unknown>>

/** Reads what `docker save` writes (one image). */
export function readDockerArchive(archive: Buffer): ArchivedImage {
  const files = filesOf(archive)
  const manifest = list(parse(files, 'manifest.json'))[0] as { Config: string; Layers: readonly string[] }
  return { config: object(parse(files, manifest.Config)), layers: manifest.Layers.map(name => need(files, name)) }
}

/** Reads an OCI image layout in a tar (image-spec, image-layout.md) and checks every digest and size on the way. */
export function readOciArchive(archive: Buffer): ArchivedImage {
  const files = filesOf(archive)
  if (object(parse(files, 'oci-layout'))['imageLayoutVersion'] !== '1.0.0')
    throw new Error('oci-layout has another version')
  const index = object(parse(files, 'index.json'))
  const manifest = object(JSON.parse(blob(files, list(index['manifests'])[0]).toString('utf8')))
  const config = object(JSON.parse(blob(files, manifest['config']).toString('utf8')))
  const layers = list(manifest['layers']).map(layer =>
    uncompress(blob(files, layer), String(object(layer)['mediaType'])),
  )
  const diffIds = list(object(config['rootfs'])['diff_ids'])
  const actual = layers.map(layer => `sha256:${sha256(layer)}`)
  if (diffIds.join() !== actual.join())
    throw new Error(`diff ids ${diffIds.join()} but the layers are ${actual.join()}`)
  return { config, layers }
}

function filesOf(archive: Buffer): Files {
  const members = readArchive(archive)
  const files = new Map(members.map(member => [member.path, member.body]))
  for (const { path, kind, link } of members) {
    // Docker 20.10 writes a layer that two images share as a link to `../ID/layer.tar`.
    if (kind === 'symlink' && link !== undefined) files.set(path, need(files, link.replace(/^(\.\.\/)+/, '')))
  }
  return files
}

function blob(files: Files, descriptor: unknown): Buffer {
  const { digest, size } = object(descriptor) as { digest?: string; size?: number }
  const bytes = need(files, `blobs/${String(digest).replace(':', '/')}`)
  if (bytes.length !== size)
    throw new Error(`${digest}: the descriptor says ${size} bytes, the blob has ${bytes.length}`)
  if (`sha256:${sha256(bytes)}` !== digest) throw new Error(`${digest}: the blob is ${sha256(bytes)}`)
  return bytes
}

function uncompress(bytes: Buffer, mediaType: string): Buffer {
  if (/[.+]gzip$/.test(mediaType)) return gunzipSync(bytes)
  if (/[.+]zstd$/.test(mediaType)) return zstdDecompressSync(bytes)
  return bytes
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function need(files: Files, name: string): Buffer {
  const bytes = files.get(name)
  if (bytes === undefined) throw new Error(`the archive has no ${name}`)
  return bytes
}

function parse(files: Files, name: string): unknown {
  return JSON.parse(need(files, name).toString('utf8'))
}

function object(value: unknown): Json {
  if (typeof value !== 'object' || value === null) throw new Error(`no object: ${JSON.stringify(value)}`)
  return value as Json
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`)
  return value as readonly unknown[]
}
