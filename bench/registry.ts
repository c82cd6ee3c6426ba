import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

/** A registry of this machine, for the run only. */
export interface Registry extends Disposable {
  /** `localhost:PORT`. */
  readonly host: string
  /**
   * Puts an image with one layer there: `bytes`, gzipped. `marker` goes into a file of the layer, so that images of
   * different markers have no blob in common: whoever pulls one has not seen it yet.
   */
  addImage(name: string, layer: GzippedRoot, marker: string): Promise<void>
}

/** A root file system's archive, gzipped without its end, and the digest so far: markers are added behind. */
export interface GzippedRoot {
  readonly gzip: Buffer
  readonly tar: Buffer
}

/** Starts Debian's registry on a free port; undefined where there is none. */
export async function startRegistry(folder: string): Promise<Registry | undefined> {
  if (spawnSync('docker-registry', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined
  mkdirSync(folder, { recursive: true })
  const port = randomInt(20_000, 60_000)
  const host = `localhost:${port}`
  const config = join(folder, 'config.yml')
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${join(folder, 'data')}}, delete: {enabled: true}}\n` +
      `http: {addr: '127.0.0.1:${port}'}\n`,
  )
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  await untilUp(`http://${host}/v2/`, child)
  return {
    host,
    addImage: (name, layer, marker) => addImage(`http://${host}/v2/${name}`, layer, marker),
    [Symbol.dispose]: () => child.kill(),
  }
}

async function untilUp(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with exit code ${child.exitCode}`)
    const up = await fetch(url).then(
      response => response.ok,
      () => false,
    )
    if (up) return
    await sleep(100)
  }
  throw new Error('docker-registry does not answer')
}

/** Reads an archive whose end is two blocks of zeros, and takes them off. */
export function gzippedRoot(archive: string): GzippedRoot {
  const bytes = readFileSync(archive)
  let end = bytes.length
  while (end >= 512 && bytes.subarray(end - 512, end).every(byte => byte === 0)) end -= 512
  const tar = bytes.subarray(0, end)
  return { gzip: gzipSync(tar, { level: 6 }), tar }
}

function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return `sha256:${hash.digest('hex')}`
}

async function addImage(repository: string, layer: GzippedRoot, marker: string): Promise<void> {
  const tail = Buffer.concat([markerMember(marker), Buffer.alloc(1024)])
  // Members of gzip follow each other (RFC 1952, section 2.2).
  const blob = Buffer.concat([layer.gzip, gzipSync(tail)])
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [sha256(layer.tar, tail)] },
    }),
  )
  await putBlob(repository, blob)
  await putBlob(repository, config)
  const type = 'application/vnd.docker.distribution.manifest.v2+json'
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: config.length,
      digest: sha256(config),
    },
    layers: [
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: blob.length, digest: sha256(blob) },
    ],
  })
  const put = await fetch(`${repository}/manifests/${marker}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body: manifest,
  })
  if (!put.ok) throw new Error(`the registry does not take the manifest: ${put.status} ${await put.text()}`)
}

async function putBlob(repository: string, bytes: Buffer): Promise<void> {
  const begun = await fetch(`${repository}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(begun.headers.get('location') ?? '', repository)
  place.searchParams.set('digest', sha256(bytes))
  const put = await fetch(place, { method: 'PUT', body: new Uint8Array(bytes) })
  if (!put.ok) throw new Error(`the registry does not take a blob: ${put.status} ${await put.text()}`)
}

/** A file `bench-marker` as a member of an archive (POSIX ustar). */
function markerMember(marker: string): Buffer {
  const header = Buffer.alloc(512)
  header.write('bench-marker')
  header.write(['0000644', '0000000', '0000000', ''].join('\0'), 100)
  header.write(`${marker.length.toString(8).padStart(11, '0')}\x00`, 124)
  header.write('14000000000\x00', 136)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148)
  const body = Buffer.alloc(512)
  body.write(marker)
  return Buffer.concat([header, body])
}
