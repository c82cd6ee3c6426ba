import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf, parseReference } from '#oci'
import { cacheKey, isElsewhere, openStore, readStatCache, type Store, writeStatCache } from '#store'

let root: string
let store: Store
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-store-'))
  store = openStore(root)
})
afterEach(() => {
  try {
    store[Symbol.dispose]()
  } catch {
    // The test closed it.
  }
  rmSync(root, { recursive: true, force: true })
})

const layer = (id: string, more: object = {}): Parameters<Store['layers']['add']>[0] => ({
  id,
  created: '2026-01-01T00:00:00Z',
  size: 1,
  ...more,
})

describe('blobs', () => {
  test('a blob is there only when it was committed', async () => {
    {
      await using writer = await store.blobs.begin()
      await writer.write(Buffer.from('half'))
    }
    expect(existsSync(join(root, 'blobs', 'sha256')) ? readdirSync(join(root, 'blobs', 'sha256')) : []).toEqual([])
    const digest = await store.blobs.put(Buffer.from('whole'))
    expect(digest).toBe(digestOf('whole'))
    expect((await store.blobs.get(digest)).toString()).toBe('whole')
  })

  test('bytes that are not what the descriptor says are refused and not kept', async () => {
    const descriptor = { mediaType: 'x', digest: digestOf('right'), size: 5 }
    const bytes = (async function* () {
      yield Buffer.from('wrong')
    })()
    await expect(store.blobs.write(descriptor, bytes)).rejects.toThrow(/does not match its digest/)
    expect(await store.blobs.has(descriptor)).toBe(false)
  })

  test('a damaged blob is noticed when it is read', async () => {
    const digest = await store.blobs.put(Buffer.from('whole'))
    writeFileSync(store.blobs.path(digest), 'whale')
    await expect(store.blobs.get(digest)).rejects.toThrow(/damaged/)
    const read = async (): Promise<void> => {
      for await (const _ of store.blobs.read({ mediaType: 'x', digest, size: 5 })) void _
    }
    await expect(read()).rejects.toThrow(/damaged/)
  })
})

describe('layers and records', () => {
  test('who is first wins: a second layer of the same id is dropped with its directory', async () => {
    const [a, b] = [await store.temporary('a'), await store.temporary('b')]
    for (const path of [a, b]) {
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, 'f'), path)
    }
    const first = await store.layers.add(layer('key', { directory: a }))
    const second = await store.layers.add(layer('key', { directory: b }))
    expect(second).toEqual(first)
    expect(readdirSync(join(root, 'layers'))).toEqual([first.name])
    expect(store.layers.freshId('key')).toMatch(/^key-[0-9a-f]{16}$/)
  })

  test('records are found in another process and survive it', async () => {
    await store.layers.add(layer('l1'))
    store.records.record(['k1', 'k2'], 'l1', { inputs: { a: 1 }, family: 'f' })
    using other = openStore(root)
    expect([
      other.records.find('k2'),
      other.records.find('k3'),
      other.records.hasFamily('f'),
      other.records.hasFamily('g'),
    ]).toEqual(['l1', undefined, true, false])
  })

  test('a key names its inputs and their order', () => {
    expect(cacheKey('run', { a: 1, b: 2 })).toBe(cacheKey('run', { a: 1, b: 2 }))
    expect(cacheKey('run', { a: 1, b: 2 })).not.toBe(cacheKey('copy', { a: 1, b: 2 }))
    expect(cacheKey('run', { a: 'x', b: 'y' })).not.toBe(cacheKey('run', { a: 'y', b: 'x' }))
  })
})

describe('images and tags', () => {
  test('that rules found nothing in an image is remembered for those rules, beside what built it', () => {
    const id = digestOf('image')
    const recipe = { dockerfile: 'Dockerfile', layers: [null] }
    store.images.add(id, ['kept'], recipe)
    expect(store.images.isClean(id, 'one')).toBe(false)
    store.images.setClean(id, 'one')
    expect([store.images.isClean(id, 'one'), store.images.isClean(id, 'two')]).toEqual([true, false])
    store.images.add(id, ['kept'])
    store.images.add(id, ['kept'], { dockerfile: 'Other', layers: [null, null] })
    expect(store.images.isClean(id, 'one')).toBe(true)
    expect(store.images.get(id)?.recipe).toEqual({ dockerfile: 'Other', layers: [null, null] })
    store.images.remove(id)
    store.images.add(id, ['kept'])
    expect(store.images.isClean(id, 'one')).toBe(false)
  })

  test('what a process left open is found by the next one', () => {
    const id = digestOf('left')
    const left = openStore(root, { untilExit: true })
    left.images.add(id, ['kept'])
    left[Symbol.dispose]()
    expect(openStore(root, { untilExit: true }).images.get(id)?.layers).toEqual(['kept'])
  })

  test('a tag moves; the image stays until it is pruned', async () => {
    const [one, two] = [await store.blobs.put(Buffer.from('{}1')), await store.blobs.put(Buffer.from('{}2'))]
    for (const id of [one, two]) store.images.add(id, [])
    store.images.tag(parseReference('app'), one)
    store.images.tag(parseReference('docker.io/library/app:latest'), two)
    expect(store.images.resolve(parseReference('app:latest'))?.id).toBe(two)
    expect(store.images.tagsOf(two)).toEqual(['app:latest'])
    expect(store.images.withPrefix(one.slice(7, 19)).map(image => image.id)).toEqual([one])
    expect(store.images.withPrefix('%').length).toBe(0)
    const later = openStore(root, { now: () => Date.now() + 1000 })
    expect((await later.prune({ all: false })).images).toEqual([])
    later[Symbol.dispose]()
    store[Symbol.dispose]()
    using alone = openStore(root, { now: () => Date.now() + 1000 })
    expect((await alone.prune({ all: false })).images).toEqual([one])
  })
})

describe('pruning', () => {
  test('what a living session may use stays; what images need stays; orphans of killed processes go', async () => {
    const kept = await store.layers.add(layer('kept'))
    const id = await store.blobs.put(Buffer.from('{"image":1}'))
    store.images.add(id, ['kept'])
    store.images.tag(parseReference('app'), id)
    await store.layers.add(layer('cache'))
    {
      using other = openStore(root, { now: () => Date.now() + 10 })
      expect((await other.prune({ all: false })).layers).toBe(0)
    }
    store[Symbol.dispose]()
    mkdirSync(join(root, 'layers', 'feedfacefeedface'), { recursive: true })
    using alone = openStore(root, { now: () => Date.now() + 10_000 })
    expect(await alone.prune({ all: false })).toMatchObject({ layers: 1, images: [] })
    expect(alone.layers.get('kept')?.name).toBe(kept.name)
    expect(readdirSync(join(root, 'layers'))).toEqual([])
    expect(alone.blobs.exists(id)).toBe(true)
  })

  test('what main memory has no room for is on the disk', async () => {
    expect(await store.inMemory('x', 2 ** 60)).toMatch(new RegExp(`^${root}/tmp/.*/x-`))
  })

  test('the next session removes the temporary files of a dead one', async () => {
    mkdirSync(join(root, 'tmp', '1-dead'), { recursive: true })
    writeFileSync(join(root, 'tmp', '1-dead', 'x'), '')
    writeFileSync(
      join(root, 'sessions', '1-dead'),
      JSON.stringify({ pid: 4194304, birth: '1', namespace: 'pid:[1]', boot: 'another boot', started: 1 }),
    )
    using _other = openStore(root)
    expect(existsSync(join(root, 'tmp', '1-dead'))).toBe(false)
  })
})

describe('the stat cache', () => {
  test('is what was written, and empty when damaged', async () => {
    const entry = [1, 2, 3.5, 4.5, digestOf('x')] as const
    writeStatCache(root, '/ctx', {
      cache: { files: new Map([['a/b', entry]]) },
      temporary: await store.temporary('x').then(path => (mkdirSync(join(path, '..'), { recursive: true }), path)),
    })
    expect(readStatCache(root, '/ctx').files.get('a/b')).toEqual(entry)
    const [name = ''] = readdirSync(join(root, 'contexts'))
    writeFileSync(join(root, 'contexts', name), '{"version":1,"fi')
    expect(readStatCache(root, '/ctx').files.size).toBe(0)
  })
})

test('a store of another format is refused', () => {
  store[Symbol.dispose]()
  writeFileSync(join(root, 'slipway.db'), 'this is no database, but long enough to look like a damaged one'.repeat(20))
  expect(() => openStore(root)).toThrow(/damaged/)
})

describe('what is somewhere else', () => {
  const diffId = digestOf('archive')
  const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf('compressed'), size: 10 }

  test('a named layer has no form, and places; it gets its archive later', async () => {
    store.layers.name({ id: 'chain', diffId, created: '2026-01-01T00:00:00Z' })
    store.layers.addPlace(diffId, 'localhost:5000/base', blob)
    const named = store.layers.get('chain')
    expect(named && isElsewhere(named)).toBe(true)
    expect(store.layers.places(diffId)).toEqual([{ repository: 'localhost:5000/base', blob }])
    expect((await store.usage()).elsewhere).toEqual({ count: 1, size: 10 })
    const whole = await store.layers.addTar('chain', { entries: [Buffer.from('')], size: 3, tarSize: 1024 })
    expect(whole).toMatchObject({ size: 3, tarSize: 1024, forms: { tar: true, entries: true, directory: false } })
    expect(store.layers.name({ id: 'chain', diffId, created: '2027-01-01T00:00:00Z' })).toEqual(whole)
  })

  test('places of layers that nobody knows any more are forgotten by prune', async () => {
    store.layers.name({ id: 'chain', diffId, created: '2026-01-01T00:00:00Z' })
    store.layers.addPlace(diffId, 'localhost:5000/base', blob)
    store[Symbol.dispose]()
    using alone = openStore(root, { now: () => Date.now() + 10_000 })
    await alone.prune({ all: false })
    expect(alone.layers.places(diffId)).toEqual([])
    expect(alone.layers.get('chain')).toBeUndefined()
  })

  test('origins go with their image', () => {
    const image = digestOf('configuration')
    store.images.add(image, [])
    const origin = { name: 'localhost:5000/base:1', platform: 'linux/amd64', image, digest: digestOf('index') }
    store.images.addOrigin(origin)
    expect(store.images.origins(origin.name)).toEqual([origin])
    expect(store.images.originsOf(image)).toEqual([origin])
    store.images.remove(image)
    expect(store.images.origins(origin.name)).toEqual([])
  })
})

/** The tables of version 2, as that version made them. */
const versionTwo = `
CREATE TABLE layers (
  id TEXT PRIMARY KEY, parent TEXT, name TEXT NOT NULL UNIQUE, diff_id TEXT, size INTEGER, tar_size INTEGER, created TEXT NOT NULL,
  directory INTEGER NOT NULL, tar INTEGER NOT NULL, entries INTEGER NOT NULL, used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX layers_by_diff_id ON layers (diff_id);
CREATE TABLE compressed (
  diff_id TEXT NOT NULL, media_type TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (diff_id, media_type)
) STRICT, WITHOUT ROWID;
CREATE TABLE records (
  key TEXT PRIMARY KEY, layer TEXT NOT NULL, family TEXT, inputs TEXT NOT NULL, used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_layer ON records (layer);
CREATE INDEX records_by_family ON records (family);
CREATE TABLE images (
  id TEXT PRIMARY KEY, layers TEXT NOT NULL, made INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tags (name TEXT PRIMARY KEY, image TEXT NOT NULL, set_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_image ON tags (image);
`

/** Turns the open store into one of version 2 with the same layers, records, images and tags. */
function asVersionTwo(): void {
  store[Symbol.dispose]()
  const path = join(root, 'slipway.db')
  const current = new DatabaseSync(path)
  const kept = ['layers', 'records', 'images', 'tags'].map(
    table => [table, current.prepare(`SELECT * FROM ${table}`).all()] as const,
  )
  current.close()
  for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
  const old = new DatabaseSync(path)
  old.exec(`PRAGMA journal_mode = WAL; ${versionTwo} PRAGMA user_version = 2;`)
  old.exec("INSERT INTO compressed VALUES ('sha256:a', 'x', 'sha256:b', 3)")
  for (const [table, rows] of kept) {
    for (const row of rows) {
      const columns = Object.keys(row)
      old
        .prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`)
        .run(...Object.values(row))
    }
  }
  old.close()
}

test('a store of version 2 gets the new tables and keeps images, tags, layers and records', () => {
  const [id, reference] = [digestOf('image'), parseReference('team/app:1')]
  store.layers.name({ id: 'kept', diffId: digestOf('x'), created: '2026-01-01T00:00:00Z' })
  store.records.record(['key'], 'kept', { inputs: { step: 'RUN true' }, family: 'family' })
  store.images.add(id, ['kept'])
  store.images.tag(reference, id)
  asVersionTwo()
  for (let opened = 0; opened < 2; opened++) {
    using again = openStore(root)
    expect(again.layers.get('kept')).toMatchObject({ id: 'kept', diffId: digestOf('x') })
    expect(again.layers.places(digestOf('x'))).toEqual([])
    expect(again.records.find('key')).toBe('kept')
    expect(again.records.ofLayer('kept')).toEqual([{ key: 'key', family: 'family', inputs: { step: 'RUN true' } }])
    expect(again.images.resolve(reference)?.layers).toEqual(['kept'])
    expect(again.images.tagsOf(id)).toEqual(['team/app:1'])
    expect(again.images.origins('a')).toEqual([])
    // The table that changed can be written.
    const origin = { name: 'docker.io/team/app:1', platform: 'linux/amd64', image: id, digest: digestOf('manifest') }
    again.images.addOrigin(origin)
    expect(again.images.originsOf(id)).toHaveLength(1)
  }
})

test.each([1, 99])('a store of version %i is refused and stays what it is', version => {
  asVersionTwo()
  const read = (): unknown => {
    const database = new DatabaseSync(join(root, 'slipway.db'))
    try {
      return [
        database.prepare('PRAGMA user_version').get(),
        database.prepare('SELECT name, sql FROM sqlite_master ORDER BY name').all(),
      ]
    } finally {
      database.close()
    }
  }
  const database = new DatabaseSync(join(root, 'slipway.db'))
  database.exec(`PRAGMA user_version = ${version}`)
  database.close()
  const before = read()
  expect(() => openStore(root)).toThrow(new RegExp(`has format ${version};`))
  expect(read()).toEqual(before)
})
