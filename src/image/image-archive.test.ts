import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ArchivedImage,
  type ExportedImage,
  type ExportedLayer,
  openImageArchive,
  writeDockerArchive,
  writeOciArchive,
  writeOciLayout,
} from '#image'
import { type Descriptor, digestOf, formatReference, hostPlatform, parseReference } from '#oci'
import { decodeName, readTar, type TarInput, writeTar } from '#tar'

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0
const docker = ['docker', '/usr/bin/docker'].find(
  command => spawnSync(command, ['version', '--format', '{{.Server.Version}}']).status === 0,
)
const work = fs.mkdtempSync(join(tmpdir(), 'slipway-image-'))
const scratch = join(work, 'scratch')
const { architecture } = hostPlatform()

afterAll(() => fs.rmSync(work, { recursive: true, force: true }))
beforeAll(() => fs.mkdirSync(scratch))

function member(path: string, content: string | undefined, change: Partial<TarInput['header']> = {}): TarInput {
  const type = content === undefined ? 'directory' : 'file'
  const base = { path, type, mode: 0o755, uid: 0, gid: 0, size: content?.length ?? 0 } as const
  const header = { ...base, mtime: { seconds: 1_700_000_000, nanoseconds: 0 }, ...change }
  return { header, ...(content !== undefined && { content: [Buffer.from(content, 'latin1')] }) }
}

async function layerOf(members: readonly TarInput[]): Promise<ExportedLayer> {
  const bytes = await collect(writeTar(members))
  return { diffId: digestOf(bytes), size: bytes.length, open: () => chunksOf(bytes, 50_000) }
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

function imageOf(layers: readonly ExportedLayer[], names: readonly string[], change: object = {}): ExportedImage {
  const config = {
    architecture,
    os: 'linux',
    config: { Env: ['A=b'], Cmd: ['/bin/app'] },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    history: layers.map((_, i) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${i}` })),
    created: '2024-01-02T03:04:05Z',
    ...change,
  }
  return { config: Buffer.from(JSON.stringify(config)), layers, references: names.map(parseReference) }
}

const tag = `slipway-test/archive-${process.pid}:one`
const text = Array.from({ length: 40_000 }, (_, i) => `line ${i * 7919}\n`).join('')

async function sample(names: readonly string[] = [tag]): Promise<ExportedImage> {
  const base = await layerOf([
    member('bin', undefined),
    member('bin/app', text),
    member('gone', 'x'),
    member(`long/${'directory/'.repeat(20)}file`, 'y', { uid: 3_000_000 }),
    member(decodeName(Buffer.from([0x66, 0xff])), 'z', { mtime: { seconds: 5, nanoseconds: 5 } }),
  ])
  const upper = await layerOf([member('.wh.gone', ''), member('bin/other', 'second', { mode: 0o4755 })])
  return imageOf([base, upper, await layerOf([])], names)
}

async function write(name: string, source: AsyncIterable<Uint8Array>): Promise<string> {
  const path = join(work, name)
  fs.writeFileSync(path, await collect(source))
  return path
}

/** Reads every layer and returns what identifies the images. */
async function identify(
  source: string | AsyncIterable<Uint8Array>,
  options: { platform?: { os: string; architecture: string } } = {},
) {
  await using archive = await openImageArchive(source, { scratch, ...options })
  return await Promise.all(archive.images.map(describeImage))
}

async function describeImage({ references, config, layers }: ArchivedImage) {
  const contents = []
  for (const layer of layers) contents.push(digestOf(await collect(layer.open())))
  return { id: digestOf(config), names: references.map(formatReference), diffIds: layers.map(l => l.diffId), contents }
}

function identityOf(image: ExportedImage, names = image.references.map(formatReference)) {
  const diffIds = image.layers.map(layer => layer.diffId)
  return { id: digestOf(image.config), names, diffIds, contents: diffIds }
}

const forms = [
  ['oci, none', (images: readonly ExportedImage[]) => writeOciArchive(images, { compression: 'none', scratch })],
  ['oci, gzip', (images: readonly ExportedImage[]) => writeOciArchive(images, { level: 1, scratch })],
  ['oci, zstd', (images: readonly ExportedImage[]) => writeOciArchive(images, { compression: 'zstd', scratch })],
  ['docker', (images: readonly ExportedImage[]) => writeDockerArchive(images)],
] as const

describe.each(forms)('%s', (form, writer) => {
  const file = `${form.replace(', ', '-')}.tar`

  test('is read as written, by path, as a stream and compressed', async () => {
    const image = await sample([tag, 'localhost:5000/a/b:c'])
    const other = { ...(await sample([])), config: imageOf(image.layers, [], { author: 'other' }).config }
    const path = await write(file, writer([image, other]))
    const want = [identityOf(image), identityOf(other)]
    expect(await identify(path)).toEqual(want)
    expect(await identify(chunksOf(fs.readFileSync(path), 1000))).toEqual(want)
    expect(await identify(await write(`${file}.gz`, chunksOf(zlib.gzipSync(fs.readFileSync(path)), 1000)))).toEqual(
      want,
    )
    expect(fs.readdirSync(scratch)).toEqual([])
  })

  test('has the same bytes each time, and each blob once', async () => {
    const image = await sample()
    const archive = await collect(writer([image]))
    expect((await collect(writer([image]))).equals(archive)).toBe(true)
    const paths: string[] = []
    for await (const { header } of readTar(chunksOf(await collect(writer([image, image])), 5000)))
      paths.push(header.path)
    expect(new Set(paths).size).toBe(paths.length)
  })

  test('a layer that is not what its diff id says is an error, and leaves nothing', async () => {
    const image = await sample()
    const [first, ...rest] = image.layers as [ExportedLayer, ...ExportedLayer[]]
    const wrong = await layerOf([member('bin', undefined), member('bin/app', `${text.slice(1)}!`)])
    for (const open of [() => wrong.open(), () => chunksOf(Buffer.alloc(512), 512)]) {
      const broken = { ...image, layers: [{ ...first, open }, ...rest] }
      await expect(collect(writer([broken]))).rejects.toThrow(/^layer sha256:\w+ (has|is)/)
    }
    expect(fs.readdirSync(scratch)).toEqual([])
  })

  test.skipIf(!has('skopeo'))('skopeo inspects and copies it', async () => {
    const image = await sample(['docker.io/library/app:1.0'])
    const path = await write(file, writer([image]))
    const name = form === 'docker' ? `docker-archive:${path}` : `oci-archive:${path}`
    const inspected = JSON.parse(execFileSync('skopeo', ['inspect', name], { encoding: 'utf8' })) as object
    expect(inspected).toMatchObject({ Architecture: architecture, Os: 'linux', Env: ['A=b'] })
    const config = execFileSync('skopeo', ['inspect', '--config', '--raw', name])
    expect(digestOf(config)).toBe(digestOf(image.config))

    const layout = `${path}-skopeo-layout`
    execFileSync('skopeo', ['copy', '-q', '--insecure-policy', name, `oci:${layout}:1.0`])
    // From docker's to OCI's format skopeo writes the configuration anew.
    const { id, ...kept } = identityOf(image, [])
    expect(await identify(layout)).toMatchObject([form === 'docker' ? kept : { id, ...kept }])
    if (form === 'oci, zstd') return // docker's format has no zstd, says skopeo
    const saved = `${path}-skopeo.tar`
    execFileSync('skopeo', ['copy', '-q', '--insecure-policy', name, `docker-archive:${saved}:some/app:2`])
    expect(await identify(saved)).toEqual([identityOf(image, ['docker.io/some/app:2'])])
  })

  // umoci 0.4 has no zstd.
  test.skipIf(!has('umoci') || process.getuid?.() !== 0 || form === 'oci, zstd')(
    'umoci unpacks it (needs root)',
    async () => {
      if (form === 'oci, zstd' && !/zstd/.test(execFileSync('umoci', ['unpack', '--help']).toString())) return
      const path = await write(file, writer([await sample(['app:1.0'])]))
      const layout = join(work, `${file}-layout`)
      fs.mkdirSync(layout)
      execFileSync('tar', ['-C', layout, '-xf', path])
      const bundle = join(work, `${file}-bundle`)
      execFileSync('umoci', ['unpack', '--image', `${layout}:1.0`, bundle])
      expect(fs.readFileSync(join(bundle, 'rootfs/bin/app'), 'latin1')).toBe(text)
      expect(fs.existsSync(join(bundle, 'rootfs/gone'))).toBe(false)
      expect(fs.statSync(join(bundle, 'rootfs/bin/other')).mode & 0o7777).toBe(0o4755)
    },
  )

  test.skipIf(docker === undefined || form !== 'docker')('docker loads it, and we read what it saves', async () => {
    const image = await sample([tag])
    const engine = docker ?? ''
    const path = await write(file, writer([image]))
    try {
      expect(execFileSync(engine, ['load', '-i', path], { encoding: 'utf8' })).toContain(tag)
      const inspected = execFileSync(engine, ['inspect', tag], { encoding: 'utf8' })
      const [{ Id, RootFS }] = JSON.parse(inspected) as [{ Id: string; RootFS: { Layers: string[] } }]
      expect(Id).toBe(digestOf(image.config))
      expect(RootFS.Layers).toEqual(image.layers.map(layer => layer.diffId))
      const container = execFileSync(engine, ['create', tag], { encoding: 'utf8' }).trim()
      const exported = execFileSync(engine, ['export', container], { maxBuffer: 1 << 28 })
      execFileSync(engine, ['rm', container])
      const found = new Map<string, number>()
      for await (const { header } of readTar(chunksOf(exported, 1 << 16))) found.set(header.path, header.size)
      expect(found.get('bin/app')).toBe(text.length)
      expect(found.get(`long/${'directory/'.repeat(20)}file`)).toBe(1)
      expect(found.has('gone')).toBe(false)
      expect(found.has(decodeName(Buffer.from([0x66, 0xff])))).toBe(true)

      const saved = execFileSync(engine, ['save', tag], { maxBuffer: 1 << 28 })
      const [back] = await identify(chunksOf(saved, 1 << 16))
      expect(back).toEqual(identityOf(image))
    } finally {
      spawnSync(engine, ['rmi', tag])
    }
  })
})

describe('OCI layout directory', () => {
  test('takes images one after the other; a name moves', async () => {
    const directory = join(work, 'layout')
    const first = await sample(['app:1', 'app:latest'])
    const second = imageOf(first.layers.slice(0, 1), ['app:latest'])
    const [written] = await writeOciLayout([first], { directory, compression: 'gzip' })
    expect(fs.readFileSync(join(directory, 'blobs/sha256', (written as Descriptor).digest.slice(7))).length).toBe(
      written?.size,
    )
    expect(await identify(directory)).toEqual([identityOf(first)])
    await writeOciLayout([second], { directory, compression: 'none' })
    expect(await identify(directory)).toEqual([
      identityOf(first, ['docker.io/library/app:1']),
      identityOf(second, ['docker.io/library/app:latest']),
    ])
    expect(fs.readdirSync(directory).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    if (has('skopeo')) execFileSync('skopeo', ['inspect', `oci:${directory}:1`])
  })

  test('an error leaves it as it was', async () => {
    const directory = join(work, 'failing')
    await writeOciLayout([await sample()], { directory })
    const before = fs.readFileSync(join(directory, 'index.json'))
    const layer = await layerOf([member('new', 'content')])
    async function* open(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(512)
      throw new RangeError('disk gone')
    }
    const broken = imageOf([{ ...layer, open }], ['app:broken'])
    for (const compression of ['none', 'zstd'] as const) {
      await expect(writeOciLayout([broken], { directory, compression })).rejects.toThrow(new RangeError('disk gone'))
    }
    expect(fs.readFileSync(join(directory, 'index.json'))).toEqual(before)
    expect(fs.readdirSync(directory).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(fs.existsSync(join(directory, 'blobs/sha256', layer.diffId.slice(7)))).toBe(false)
  })

  test('several writers at once lose nothing', async () => {
    const directory = join(work, 'shared')
    const { layers } = await sample()
    const images = [0, 1, 2, 3, 4].map(i => imageOf(layers, [`app:${i}`], { author: `${i}` }))
    await Promise.all(images.map(image => writeOciLayout([image], { directory, compression: 'zstd' })))
    const found = await identify(directory)
    expect(new Set(found.map(({ names }) => names[0]))).toEqual(
      new Set([0, 1, 2, 3, 4].map(i => `docker.io/library/app:${i}`)),
    )
  })

  test('refuses a directory with something else', async () => {
    await expect(writeOciLayout([await sample()], { directory: work })).rejects.toThrow(/neither empty nor an OCI/)
  })
})

describe('what others write', () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const file = (path: string, bytes: Uint8Array) => member(path, Buffer.from(bytes).toString('latin1'))
  const archive = (members: readonly TarInput[]) => writeTar(members)
  const index = (manifests: readonly object[]) => ({ schemaVersion: 2, manifests })
  const layoutFile = file('oci-layout', json({ imageLayoutVersion: '1.0.0' }))
  const blob = (bytes: Uint8Array) => file(`blobs/sha256/${digestOf(bytes).slice(7)}`, bytes)
  const descriptor = (bytes: Uint8Array, rest: object = {}) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(bytes),
    size: bytes.length,
    ...rest,
  })

  async function manifestFor(arch: string): Promise<{ members: TarInput[]; manifest: Buffer; config: Uint8Array }> {
    const layer = await layerOf([member(arch, arch)])
    const bytes = zlib.gzipSync(await collect(layer.open()))
    const { config } = imageOf([layer], [], { architecture: arch })
    const manifest = json({ schemaVersion: 2, config: descriptor(config), layers: [descriptor(bytes)] })
    return { members: [blob(bytes), blob(config), blob(manifest)], manifest, config }
  }

  test('an index for several platforms, with provenance', async () => {
    const [amd, arm] = [await manifestFor('amd64'), await manifestFor('arm64')]
    const inner = json(
      index([
        descriptor(amd.manifest, { platform: { os: 'linux', architecture: 'amd64' } }),
        descriptor(arm.manifest, { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }),
        descriptor(Buffer.from('{}'), {
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        }),
      ]),
    )
    const annotations = { 'org.opencontainers.image.ref.name': 'localhost/app:1' }
    const all = [
      ...amd.members,
      ...arm.members,
      blob(inner),
      file('index.json', json(index([descriptor(inner, { annotations })]))),
      layoutFile,
    ]
    for (const [arch, { config }] of [
      ['amd64', amd],
      ['arm64', arm],
    ] as const) {
      const [found] = await identify(archive(all), { platform: { os: 'linux', architecture: arch } })
      expect(found).toMatchObject({ id: digestOf(config), names: ['localhost/app:1'] })
    }
    const s390x = identify(archive(all), { platform: { os: 'linux', architecture: 's390x' } })
    await expect(s390x).rejects.toThrow(/has no image for linux\/s390x/)
  })

  test('wrong bytes are found', async () => {
    const { members, manifest } = await manifestFor('amd64')
    const top = file('index.json', json(index([descriptor(manifest)])))
    const [layerBlob, configBlob, manifestBlob] = members as [TarInput, TarInput, TarInput]
    const spoil = (input: TarInput): TarInput => {
      const bytes = Buffer.concat([...(input.content as Iterable<Uint8Array>)])
      bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1
      return { ...input, content: [bytes] }
    }
    const cases: readonly (readonly TarInput[])[] = [
      [spoil(layerBlob), configBlob, manifestBlob],
      [layerBlob, spoil(configBlob), manifestBlob],
      [layerBlob, configBlob, spoil(manifestBlob)],
    ]
    for (const blobs of cases) {
      await expect(identify(archive([...blobs, top, layoutFile]))).rejects.toThrow(/digest|damaged/)
    }
    await expect(identify(archive([layerBlob, configBlob, top, layoutFile]))).rejects.toThrow(/has no file/)
  })

  test('a Docker archive whose layers are links, and compressed', async () => {
    const { layers, config } = imageOf([await layerOf([member('a', 'a')]), await layerOf([member('a', 'a')])], [])
    const plain = await collect((layers[0] as ExportedLayer).open())
    const name = digestOf(config).slice(7)
    const entry = { Config: `${name}.json`, RepoTags: ['old/app:3'], Layers: ['one/layer.tar', 'two/layer.tar'] }
    const members = [
      file(`${name}.json`, config),
      file('./one/layer.tar', zlib.gzipSync(plain)),
      member('two/layer.tar', undefined, { type: 'symlink', link: '../one/layer.tar' }),
      file('manifest.json', json([entry])),
    ]
    const [found] = await identify(archive(members))
    expect(found).toMatchObject({ names: ['docker.io/old/app:3'], contents: layers.map(layer => layer.diffId) })

    const outside = member('two/layer.tar', undefined, { type: 'symlink', link: '../../one/layer.tar' })
    await expect(identify(archive([...members, outside]))).rejects.toThrow(/has no file "two\/layer.tar"/)
    const around = member('two/layer.tar', undefined, { type: 'symlink', link: 'layer.tar' })
    await expect(identify(archive([...members, around]))).rejects.toThrow(/has no file "two\/layer.tar"/)
    const other = file(`${name}.json`, imageOf(layers, [], { author: 'x' }).config)
    await expect(identify(archive([...members, other]))).rejects.toThrow(/has digest/)
  })

  test.each<[string, readonly TarInput[], RegExp]>([
    ['no image', [member('etc/passwd', 'root')], /neither an OCI layout nor a Docker image archive/],
    ['a manifest that is no list', [file('manifest.json', json({}))], /manifest\.json is malformed/],
    ['a manifest that is no JSON', [file('manifest.json', Buffer.from('['))], /manifest\.json is malformed/],
    ['a missing configuration', [file('manifest.json', json([{ Config: 'x.json' }]))], /has no file "x\.json"/],
    ['an index that is no index', [file('index.json', json([])), layoutFile], /image index/],
    [
      'a digest that is a path',
      [
        file('index.json', json(index([{ ...descriptor(Buffer.of()), digest: 'sha256:../../etc/passwd' }]))),
        layoutFile,
      ],
      /invalid digest/,
    ],
  ])('refuses: %s', async (_, members, message) => {
    await expect(identify(archive(members))).rejects.toThrow(message)
  })

  test('stops where it is told to, and leaves nothing', async () => {
    const controller = new AbortController()
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield await collect(writeTar([member('a', 'x'.repeat(5000))]))
      controller.abort(new RangeError('enough'))
      for (;;) yield Buffer.alloc(512)
    }
    const { signal } = controller
    await expect(openImageArchive(endless(), { scratch, signal })).rejects.toThrow(new RangeError('enough'))
    const path = await write('whole.tar', writeTar([member('a', 'x')]))
    await expect(openImageArchive(path, { scratch, signal })).rejects.toThrow(new RangeError('enough'))
    expect(fs.readdirSync(scratch)).toEqual([])
  })

  test('refuses what is no archive, naming it', async () => {
    const path = join(work, 'note.txt')
    fs.writeFileSync(path, 'no archive'.repeat(100))
    await expect(identify(path)).rejects.toThrow(/note\.txt at byte 0: this is not a tar archive/)
    await expect(identify(join(work, 'absent'))).rejects.toThrow(/can't read .*absent/)
    expect(fs.readdirSync(scratch)).toEqual([])
  })
})
