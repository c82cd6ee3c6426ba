import { randomBytes } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeEntries, packLayer, scanDirectory } from '#layer'
import { makeNode, setXattr } from '#linux'
import { digestOf } from '#oci'
import {
  type Chain,
  chainTree,
  directoryChain,
  openLayerTar,
  openWorkspace,
  packedLayer,
  takeArchive,
  unpackedChain,
} from '#rootfs'
import { type LayerRecord, openStore, type Store } from '#store'
import { type Entry, lookup } from '#tree'
import { madeEntry } from '../../test/made-entry.ts'
import { type Member, writeArchive } from '../../test/oracle/tar-archive.ts'
import { takeUnpacked } from './take-layer.ts'
import { openUnpacking } from './unpack-thread.ts'

const isRoot = process.getuid?.() === 0
let root: string
let store: Store
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-rootfs-'))
  store = openStore(join(root, 'store'))
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(root, { recursive: true, force: true })
})

const entry = (path: string, type: Entry['type'] = 'file', more: Partial<Entry> = {}): Entry =>
  madeEntry(path, type, { mtime: { seconds: 9, nanoseconds: 0 }, ...more })
const text = (path: string, content: string, more: Partial<Entry> = {}): Entry =>
  entry(path, 'file', { size: content.length, source: { kind: 'bytes', bytes: Buffer.from(content) }, ...more })

async function tarLayer(id: string, entries: readonly Entry[]): Promise<LayerRecord> {
  await using blob = await store.blobs.begin()
  const packed = await packLayer(entries, bytes => blob.write(bytes), {})
  const { digest } = await blob.commit()
  return await store.layers.add({
    id,
    created: '2026-01-01T00:00:00Z',
    diffId: digest,
    tar: true,
    size: packed.size,
    entries: encodeEntries(entries, packed.offsets),
  })
}

async function directoryLayer(id: string, fill: (directory: string) => void): Promise<LayerRecord> {
  const directory = await store.temporary('made')
  mkdirSync(directory, { recursive: true })
  fill(directory)
  return store.layers.add({ id, created: '2026-01-01T00:00:00Z', directory })
}

const base = (): Promise<LayerRecord> =>
  tarLayer('base', [
    entry('etc', 'directory', { mode: 0o750 }),
    text('etc/passwd', 'root:x:0:0::/root:\n'),
    entry('run', 'directory'),
    entry('var', 'directory'),
    entry('var/run', 'symlink', { link: '/run', mode: 0o777 }),
    text('same', 'same'),
  ])

describe.skipIf(!isRoot)('forms of layers', () => {
  test('a chain looks the same as a tree and as directories', async () => {
    const chain: Chain = [
      await base(),
      await tarLayer('second', [
        entry('etc', 'whiteout'),
        entry('run', 'directory', { mode: 0o700 }),
        entry('run', 'opaque'),
        text('run/x', 'x'),
      ]),
    ]
    const tree = await chainTree(store, chain)
    const unpacked = await unpackedChain(store, chain, { rootless: false })
    const directories = directoryChain(unpacked.map(layer => store.layers.directory(layer)))
    for (const path of ['etc', 'etc/passwd', 'run', 'run/x', 'var/run', 'same', 'nothing', 'same/below']) {
      const [a, b] = [tree.get(path), directories.get(path)]
      expect([path, b?.type, b?.mode, b?.size, b?.link]).toEqual([path, a?.type, a?.mode, a?.size, a?.link])
    }
    expect(lookup(directories, 'var/run/x').entry?.size).toBe(1)
  })

  test('what overlay copied up without a change is no change', async () => {
    const below = await base()
    const [unpacked] = await unpackedChain(store, [below], { rootless: false })
    const lower = store.layers.directory(unpacked as LayerRecord)
    const upper = await directoryLayer('run', directory => {
      mkdirSync(join(directory, 'etc'), { mode: 0o750 })
      writeFileSync(join(directory, 'etc/new'), 'new')
      mkdirSync(join(directory, 'var'))
      writeFileSync(join(directory, 'same'), 'same')
      const { atimeMs, mtimeMs } = lstatSync(join(lower, 'same'))
      utimesSync(join(directory, 'same'), atimeMs / 1000, mtimeMs / 1000)
    })
    const packed = await packedLayer(store, [below, upper])
    expect(packed.size).toBe(3)
    const tree = await chainTree(store, [below, packed])
    expect([tree.layerOf('etc'), tree.layerOf('etc/new'), tree.layerOf('var'), tree.layerOf('same')]).toEqual([
      1, 1, 0, 0,
    ])
  })

  test('a layer without its tar packs to its diff id again; a file that was changed is noticed', async () => {
    const layer = await directoryLayer('run', directory => writeFileSync(join(directory, 'f'), 'content'))
    await packedLayer(store, [layer])
    expect(store.layers.get(layer.id)?.tarSize).toBe(2048)
    const read = async (): Promise<number> => {
      let size = 0
      for await (const chunk of openLayerTar(store, [layer])) size += chunk.length
      return size
    }
    expect(await read()).toBe(2048)
    writeFileSync(join(store.layers.directory(layer), 'f'), 'CONTENT')
    await expect(read()).rejects.toThrow(/"f" changed while it was read/)
  })

  test('an archive without its parent directories takes their attributes from the layers below', async () => {
    const chain = [await base(), await tarLayer('bare', [text('etc/x', 'x')])]
    const unpacked = await unpackedChain(store, chain, { rootless: false })
    expect(lstatSync(join(store.layers.directory(unpacked[1] as LayerRecord), 'etc')).mode & 0o7777).toBe(0o750)
  })
})

describe.skipIf(!isRoot)('11.6 workspace', () => {
  test('missing mount points stand in a layer of their own, with the parents as the image has them', async () => {
    const chain = [await base()]
    await using workspace = await openWorkspace(store, chain, {
      rootless: false,
      mountPoints: [
        { path: '/etc/hosts', type: 'file' },
        { path: '/var/run/deep/er', type: 'directory' },
        { path: '/etc', type: 'directory' },
      ],
    })
    expect([...workspace.resolved]).toEqual([
      ['/etc/hosts', '/etc/hosts'],
      ['/var/run/deep/er', '/run/deep/er'],
      ['/etc', '/etc'],
    ])
    const [stubs = ''] = workspace.lower
    expect(workspace.lower).toHaveLength(2)
    expect(lstatSync(join(stubs, 'etc'))).toMatchObject({ mode: 0o40750, mtimeMs: 9000 })
    expect(readFileSync(join(stubs, 'etc/hosts'), 'utf8')).toBe('')
    expect(lstatSync(join(stubs, 'run/deep/er')).isDirectory()).toBe(true)
  })

  test('a mount over something of another kind is an error', async () => {
    const chain = [await base()]
    await expect(
      openWorkspace(store, chain, { rootless: false, mountPoints: [{ path: '/same', type: 'directory' }] }),
    ).rejects.toThrow(/cannot mount over "\/same"/)
    await expect(
      openWorkspace(store, chain, { rootless: false, mountPoints: [{ path: '/same/x', type: 'directory' }] }),
    ).rejects.toThrow(/no directory/)
  })

  test('a whiteout of a command hides, its directory marked opaque too', async () => {
    const below = await base()
    await unpackedChain(store, [below], { rootless: false })
    const upper = await directoryLayer('run', directory => {
      makeNode(join(directory, 'same'), { type: 'char', mode: 0, major: 0, minor: 0 })
      mkdirSync(join(directory, 'etc'))
      setXattr(join(directory, 'etc'), 'trusted.overlay.opaque', Buffer.from('y'))
      symlinkSync('x', join(directory, 'etc/l'))
    })
    const tree = await chainTree(store, [below, upper])
    expect([tree.get('same'), tree.get('etc/passwd'), tree.get('etc/l')?.type]).toEqual([
      undefined,
      undefined,
      'symlink',
    ])
  })
})

describe.skipIf(!isRoot)('a layer that is unpacked while its archive comes (needs root)', () => {
  const time = 1_000_000_000
  const member = (path: string, kind: Member['kind'], more: Partial<Member> = {}): Member => ({
    path,
    kind,
    mode: kind === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: time,
    body: Buffer.alloc(0),
    ...more,
  })
  const usual = [
    member('d', 'directory', { mode: 0o2750, uid: 7, gid: 8 }),
    member('d/large', 'file', { body: Buffer.alloc(3_000_000, 'large'), mode: 0o4755, uid: 9 }),
    member('d/again', 'hardlink', { link: 'd/large' }),
    member('d/link', 'symlink', { link: '../etc', mode: 0o777 }),
    ...Array.from({ length: 300 }, (_, i) => member(`d/f${i}`, 'file', { body: Buffer.from(`file ${i}`) })),
    member('d/.wh.gone', 'file'),
    member('empty', 'directory', { mode: 0o700 }),
  ]
  const take = async (members: readonly Member[]): Promise<string | undefined> => {
    await using unpacking = await openUnpacking(store, false)
    if (!unpacking) throw new Error('the thread has no file')
    const archive = writeArchive(members)
    const chunks = Array.from({ length: Math.ceil(archive.length / 50_000) }, (_, i) =>
      archive.subarray(i * 50_000, (i + 1) * 50_000),
    )
    const taken = await takeUnpacked(store, Readable.from(chunks), { unpacking, diffId: digestOf(archive) })
    return taken?.directory
  }

  test('is the same as one that is unpacked afterwards', async () => {
    const directory = await take(usual)
    const layer = await store.layers.add({
      id: 'later',
      created: '2026-01-01T00:00:00Z',
      tar: true,
      ...(await takeArchive(store, Readable.from([writeArchive(usual)]), {})),
    })
    const [later] = await unpackedChain(store, [layer], { rootless: false })
    const listed = (at: string): object[] =>
      scanDirectory(at, { overlay: true }).map(each => ({
        ...each,
        source: undefined,
        // The time of a whiteout's device says nothing, and nobody sets it.
        mtime: each.type === 'whiteout' ? undefined : each.mtime,
        content: each.type === 'file' ? readFileSync(join(at, each.path), 'latin1') : undefined,
      }))
    const first = listed(directory ?? '')
    expect(first).toHaveLength(usual.length)
    expect(first).toEqual(listed(store.layers.directory(later as LayerRecord)))
    expect(lstatSync(join(directory ?? '', 'd')).mtimeMs).toBe(time * 1000)
    // Not the group of its directory, whose set-group-id bit would hand it on.
    expect(lstatSync(join(directory ?? '', 'd/f7'))).toMatchObject({ mode: 0o100644, uid: 0, gid: 0 })
    expect(lstatSync(join(directory ?? '', 'd/large'))).toMatchObject({ mode: 0o104755, uid: 9, gid: 0 })
  })

  test.each([
    ['a name that comes twice', [...usual, member('d/f1', 'file', { body: Buffer.from('other') })]],
    ['a parent that only layers below have', [...usual, member('usr/bin/tool', 'file')]],
    ['a way out', [...usual, member('up', 'symlink', { link: '/tmp' }), member('up/file', 'file')]],
  ])('is left to the whole list: %s', async (_, members) => {
    expect(await take(members)).toBeUndefined()
    const left = readdirSync(join(root, 'store/tmp'), { recursive: true, encoding: 'utf8' })
    expect(left.filter(path => /(^|\/)f1$/.test(path))).toEqual([])
  })
})

describe.skipIf(!isRoot)('a layer that is fetched to be run on (needs root)', () => {
  const members: readonly Member[] = [
    ...Array.from({ length: 40 }, (_, i) => ({ path: `f${i}`, body: randomBytes(i % 7 === 0 ? 1_500_000 : i * 777) })),
    { path: 'a/b/c/deep', body: Buffer.from('x') },
    { path: 'zeros', body: Buffer.alloc(3000) },
  ].map(({ path, body }) => ({ path, body, kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1 }))
  const parents = members
    .flatMap(({ path }) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)))
    .map((path): Member => ({ path, kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 1, body: Buffer.alloc(0) }))
  // What writers of archives leave behind the end, and what ours would never write.
  const usual = Buffer.concat([writeArchive([...parents, ...members]), Buffer.alloc(9216, 'rest')])
  let archive: Buffer = usual
  const blob = { mediaType: 'application/octet-stream', digest: digestOf('blob'), size: 50 << 20 }
  let reads = 0
  const registry = {
    async *read(): AsyncGenerator<Uint8Array> {
      reads++
      for (let at = 0; at < archive.length; at += 123_457) yield archive.subarray(at, at + 123_457)
    },
  } as unknown as Awaited<ReturnType<Store['openPlace']>>
  const named = (id: string): LayerRecord => {
    const diffId = digestOf(archive)
    store.layers.addPlace(diffId, 'registry.test/base', blob)
    return store.layers.name({ id, diffId, created: '2026-01-01T00:00:00Z' })
  }
  const bytesOf = async (layer: LayerRecord): Promise<Buffer> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of openLayerTar(store, [layer])) chunks.push(Uint8Array.from(chunk))
    return Buffer.concat(chunks)
  }
  beforeEach(() => {
    reads = 0
    archive = usual
    store[Symbol.dispose]()
    store = openStore(join(root, 'store'), { openPlace: async () => registry })
  })
  const fetched = async (id = 'base'): Promise<LayerRecord> => {
    const [layer] = await unpackedChain(store, [named(id)], { rootless: false })
    return layer as LayerRecord
  }

  test('keeps no archive, and gives it back byte for byte without being fetched again', async () => {
    const layer = await fetched()
    expect([layer.forms, layer.tarSize]).toEqual([{ directory: true, tar: false, entries: true }, archive.length])
    expect(existsSync(store.blobs.path(digestOf(archive)))).toBe(false)
    expect(Buffer.compare(await bytesOf(layer), archive)).toBe(0)
    expect(reads).toBe(1)
  })

  test.each(['f3', 'f7'])('a file that was changed is never given out: %s', async path => {
    const layer = await fetched()
    const at = join(store.layers.directory(layer), path)
    const content = readFileSync(at)
    content[1000] = (content[1000] ?? 0) ^ 1
    writeFileSync(at, content)
    await expect(bytesOf(layer)).rejects.toThrow(`"${path}" changed in the store`)
    const read = async (): Promise<void> => {
      const entry = (await chainTree(store, [layer])).get(path) as Entry
      await packLayer([entry], async () => undefined)
    }
    await expect(read()).rejects.toThrow(/changed while it was read/)
  })

  test('is fetched again when its directory was removed', async () => {
    const layer = await fetched()
    rmSync(store.layers.directory(layer), { recursive: true })
    const [again] = await unpackedChain(store, [layer], { rootless: false })
    expect(readFileSync(join(store.layers.directory(again as LayerRecord), 'zeros'))).toHaveLength(3000)
    expect(reads).toBe(2)
  })

  test('another layer with the same archive is made of it, and of the registry where it is damaged', async () => {
    const first = await fetched()
    expect((await fetched('other')).forms).toEqual({ directory: true, tar: false, entries: true })
    expect(reads).toBe(1)
    for (const { name } of [first, store.layers.get('other') as LayerRecord])
      writeFileSync(join(root, 'store/layers', name, 'f3'), 'other')
    expect(Buffer.compare(await bytesOf(await fetched('third')), archive)).toBe(0)
    expect(reads).toBe(2)
  })

  test('is fetched as an archive where a name comes twice', async () => {
    archive = writeArchive([...parents, ...members, ...members.slice(5, 6)])
    const layer = await fetched()
    expect(layer.forms).toEqual({ directory: true, tar: true, entries: true })
    expect(readFileSync(join(store.layers.directory(layer), 'f5'))).toHaveLength(5 * 777)
    expect(Buffer.compare(await bytesOf(layer), archive)).toBe(0)
    expect(reads).toBe(2)
    const left = readdirSync(join(root, 'store/tmp'), { recursive: true, encoding: 'utf8' })
    expect(left.filter(path => path.endsWith('/f5'))).toEqual([])
  })

  test('pruning takes all of it', async () => {
    await fetched()
    store[Symbol.dispose]()
    store = openStore(join(root, 'store'))
    await store.prune({ all: true })
    const left = ['skeletons', 'layers', 'entries'].flatMap(folder => readdirSync(join(root, 'store', folder)))
    expect(left).toEqual([])
  })
})
