import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Descriptor, Digest } from '#oci'
import { transaction } from './database.ts'
import { type LayerPlace, openPlaceStore } from './place-store.ts'

/**
 * The key under which a layer was first made (for layers of base images: the chain id), so it is the same on every
 * machine that made it from the same inputs; with a random tail where a key was made again on purpose.
 */
export type LayerId = string

export interface LayerRecord {
  readonly id: LayerId
  /** The layer below; absent for the lowest. */
  readonly parent?: LayerId
  /** Short name of its files in the store. */
  readonly name: string
  /** Digest of its tar form, once it was packed. */
  readonly diffId?: Digest
  /** Bytes of file content, once its entries were listed. */
  readonly size?: number
  /** Bytes of its tar form, once it was packed. */
  readonly tarSize?: number
  /** RFC 3339. */
  readonly created: string
  /** None of them: the layer is somewhere else, where its places say. */
  readonly forms: { readonly directory: boolean; readonly tar: boolean; readonly entries: boolean }
  /** Only a record of a cache speaks of it: its bytes are nowhere, and it is in no store. */
  readonly unavailable?: true
}

/** A layer of which only the names are known; its bytes are somewhere else. */
export interface NamedLayer {
  readonly id: LayerId
  readonly parent?: LayerId
  readonly diffId: Digest
  readonly size?: number
  readonly tarSize?: number
  /** RFC 3339. */
  readonly created: string
}

export interface NewLayer {
  readonly id: LayerId
  readonly parent?: LayerId
  readonly diffId?: Digest
  readonly size?: number
  readonly tarSize?: number
  readonly created: string
  /** A directory of the same file system that becomes the layer's directory form. */
  readonly directory?: string
  /** The blob `diffId` is its tar form. */
  readonly tar?: boolean
  /** Its entries as the layer room encodes them, in pieces. */
  readonly entries?: readonly Uint8Array[]
}

export interface UnpackedLayer extends Required<Pick<NewLayer, 'entries' | 'size' | 'tarSize' | 'directory'>> {
  /** A file of the same file system: its archive without the contents of files. */
  readonly skeleton: string
}

export interface LayerStore {
  get(id: LayerId): LayerRecord | undefined
  findByDiffId(diffId: Digest): LayerRecord | undefined
  /** A layer with that archive and its entries in tar form. */
  findWithTar(diffId: Digest): LayerRecord | undefined
  /** Adds a layer. When another process was first, its layer is returned and ours is dropped. */
  add(layer: NewLayer): Promise<LayerRecord>
  /** Adds a layer without any form; one that is there stays as it is. */
  name(layer: NamedLayer): LayerRecord
  /** Where the layer's archive can be had besides here, compressed, the latest seen first. */
  places(diffId: Digest): readonly LayerPlace[]
  /** Remembers that a repository has the layer's archive as this blob. */
  addPlace(diffId: Digest, repository: string, blob: Descriptor): void
  /** What compressing the layer's archive in this way once gave; its bytes may be nowhere any more. */
  compressed(diffId: Digest, variant: string): Descriptor | undefined
  /** `variant` names everything that the bytes depend on: the compression, its level, the library. */
  rememberCompressed(diffId: Digest, variant: string, blob: Descriptor): void
  /** The repository does not have the blob any more. */
  forgetPlace(diffId: Digest, place: LayerPlace): void
  /** An id for a layer of that key: the key itself unless it is taken. */
  freshId(key: string): LayerId
  /** Adds a form to a layer that is already there. */
  addDirectory(id: LayerId, directory: string): Promise<LayerRecord>
  /** The blob of its diff id is there. */
  addTar(id: LayerId, tar: Required<Pick<NewLayer, 'entries' | 'size' | 'tarSize'>>): Promise<LayerRecord>
  /** A layer that was fetched as a directory, with what else it takes to make its archive again. */
  addUnpacked(id: LayerId, unpacked: UnpackedLayer): Promise<LayerRecord>
  /** Somebody removed the directory: the layer is somewhere else again. */
  forgetDirectory(id: LayerId): LayerRecord
  /** What packing found out; the archive itself is not kept. `tarSize`: its bytes. */
  setDiffId(id: LayerId, diffId: Digest, tarSize: number): LayerRecord
  /** `size`: bytes of file content. */
  addEntries(id: LayerId, entries: readonly Uint8Array[], size: number): Promise<LayerRecord>
  readEntries(layer: LayerRecord): Promise<Buffer>
  /** Where the directory form is. All directory forms are siblings. */
  directory(layer: LayerRecord): string
  /** Where the skeleton of its archive is, of a layer that `addUnpacked` added. */
  skeleton(layer: LayerRecord): string
  /** Whether all of them are known and have their bytes here. */
  areHere(ids: readonly LayerId[]): boolean
  /** Says that the layers were used now, so that pruning takes others first. */
  touch(ids: readonly LayerId[]): void
  all(): readonly (LayerRecord & { readonly used: number })[]
  /** Forgets a layer and removes its files (not its tar blob, which others may share). */
  remove(layer: LayerRecord): Promise<void>
}

interface Row {
  id: string
  parent: string | null
  name: string
  diff_id: string | null
  size: number | null
  tar_size: number | null
  created: string
  directory: number
  tar: number
  entries: number
  used: number
}

interface Places {
  readonly layers: string
  readonly entries: string
  readonly skeletons: string
  readonly temporary: (name: string) => Promise<string>
  readonly now: () => number
}

export function openLayerStore(database: DatabaseSync, places: Places): LayerStore {
  const select = database.prepare('SELECT * FROM layers WHERE id = ?')
  const selectDiffId = database.prepare(
    'SELECT * FROM layers WHERE diff_id = ? ORDER BY directory DESC, tar DESC LIMIT 1',
  )
  const selectTar = database.prepare(
    'SELECT * FROM layers WHERE diff_id = ? AND tar = 1 AND entries = 1 ORDER BY used DESC LIMIT 1',
  )
  const get = (id: LayerId): LayerRecord | undefined => fromRow(select.get(id))
  const must = (id: LayerId): LayerRecord => {
    const layer = get(id)
    if (!layer) throw new Error(`layer ${id} is not in the store`)
    return layer
  }
  const directory = (layer: Pick<LayerRecord, 'name'>): string => join(places.layers, layer.name)
  const entriesFile = (layer: Pick<LayerRecord, 'name'>): string => join(places.entries, layer.name)
  const skeletonFile = (layer: Pick<LayerRecord, 'name'>): string => join(places.skeletons, layer.name)
  const saveEntries = async (name: string, bytes: readonly Uint8Array[]): Promise<void> => {
    mkdirSync(places.entries, { recursive: true })
    const temporary = await places.temporary('entries')
    await writeFile(temporary, bytes)
    renameSync(temporary, entriesFile({ name }))
  }
  const saveDirectory = (name: string, from: string): void => {
    mkdirSync(places.layers, { recursive: true })
    renameSync(from, directory({ name }))
  }
  const putDirectory = (layer: LayerRecord, from: string): void => {
    try {
      saveDirectory(layer.name, from)
    } catch (error) {
      // Another process unpacked it first: theirs is as good.
      if (!existsSync(directory(layer))) throw error
    }
  }

  const insert = (layer: NewLayer, name: string): boolean =>
    transaction(database, () => {
      if (select.get(layer.id)) return false
      database
        .prepare(
          'INSERT INTO layers (id, parent, name, diff_id, size, tar_size, created, directory, tar, entries, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        )
        .run(
          layer.id,
          layer.parent ?? null,
          name,
          layer.diffId ?? null,
          layer.size ?? null,
          layer.tarSize ?? null,
          layer.created,
          flag(layer.directory),
          flag(layer.tar),
          flag(layer.entries),
          places.now(),
        )
      return true
    })

  return {
    get,
    ...openPlaceStore(database, places.now),
    name: layer => {
      if (!get(layer.id)) insert(layer, newName())
      return must(layer.id)
    },
    findByDiffId: diffId => fromRow(selectDiffId.get(diffId)),
    findWithTar: diffId => fromRow(selectTar.get(diffId)),
    directory,
    skeleton: skeletonFile,
    freshId: key => (select.get(key) ? `${key}-${randomBytes(8).toString('hex')}` : key),
    add: async layer => {
      const name = newName()
      if (layer.directory !== undefined) saveDirectory(name, layer.directory)
      if (layer.entries) await saveEntries(name, layer.entries)
      const won = insert(layer, name)
      if (!won) {
        await rm(directory({ name }), { recursive: true, force: true })
        await rm(entriesFile({ name }), { force: true })
      }
      return must(layer.id)
    },
    addDirectory: async (id, from) => {
      putDirectory(must(id), from)
      database.prepare('UPDATE layers SET directory = 1 WHERE id = ?').run(id)
      return must(id)
    },
    addTar: async (id, { entries, size, tarSize }) => {
      await saveEntries(must(id).name, entries)
      database
        .prepare('UPDATE layers SET tar = 1, entries = 1, size = ?, tar_size = ? WHERE id = ?')
        .run(size, tarSize, id)
      return must(id)
    },
    addUnpacked: async (id, { directory: from, skeleton, entries, size, tarSize }) => {
      const layer = must(id)
      await saveEntries(layer.name, entries)
      mkdirSync(places.skeletons, { recursive: true })
      renameSync(skeleton, skeletonFile(layer))
      putDirectory(layer, from)
      database
        .prepare('UPDATE layers SET directory = 1, entries = 1, size = ?, tar_size = ? WHERE id = ?')
        .run(size, tarSize, id)
      return must(id)
    },
    forgetDirectory: id => {
      database.prepare('UPDATE layers SET directory = 0 WHERE id = ?').run(id)
      return must(id)
    },
    setDiffId: (id, diffId, tarSize) => {
      database.prepare('UPDATE layers SET diff_id = ?, tar_size = ? WHERE id = ?').run(diffId, tarSize, id)
      return must(id)
    },
    addEntries: async (id, bytes, size) => {
      await saveEntries(must(id).name, bytes)
      database.prepare('UPDATE layers SET entries = 1, size = ? WHERE id = ?').run(size, id)
      return must(id)
    },
    readEntries: layer => readFile(entriesFile(layer)),
    areHere: ids =>
      ids.every(id => {
        const layer = get(id)
        return layer !== undefined && !isElsewhere(layer)
      }),
    touch: ids => {
      const now = places.now()
      const update = database.prepare('UPDATE layers SET used = ? WHERE id = ?')
      transaction(database, () => {
        for (const id of ids) update.run(now, id)
      })
    },
    all: () =>
      database
        .prepare('SELECT * FROM layers')
        .all()
        .map(row => ({ ...toRecord(row as unknown as Row), used: (row as unknown as Row).used })),
    remove: async layer => {
      transaction(database, () => {
        database.prepare('DELETE FROM records WHERE layer = ?').run(layer.id)
        database.prepare('DELETE FROM layers WHERE id = ?').run(layer.id)
      })
      await rm(directory(layer), { recursive: true, force: true })
      await rm(entriesFile(layer), { force: true })
      await rm(skeletonFile(layer), { force: true })
    },
  }
}

/** Short, as the names of all layers of a chain have to fit into the options of one mount. */
function newName(): string {
  return randomBytes(8).toString('hex')
}

/** Whether a layer has no form here: its bytes have to be fetched before anybody can see them. */
export function isElsewhere({ forms }: Pick<LayerRecord, 'forms'>): boolean {
  return !forms.directory && !forms.tar
}

function flag(value: unknown): number {
  return value === undefined || value === false ? 0 : 1
}

function fromRow(row: unknown): LayerRecord | undefined {
  return row === undefined ? undefined : toRecord(row as Row)
}

function toRecord(row: Row): LayerRecord {
  return {
    id: row.id,
    ...(row.parent !== null && { parent: row.parent }),
    name: row.name,
    ...(row.diff_id !== null && { diffId: row.diff_id as Digest }),
    ...(row.size !== null && { size: row.size }),
    ...(row.tar_size !== null && { tarSize: row.tar_size }),
    created: row.created,
    forms: { directory: row.directory === 1, tar: row.tar === 1, entries: row.entries === 1 },
  }
}
