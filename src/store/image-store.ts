import type { DatabaseSync } from 'node:sqlite'
import { type Digest, familiarReference, formatReference, parseReference, type Reference } from '#oci'
import { transaction } from './database.ts'
import type { LayerId } from './layer-store.ts'

/** Which instructions made the layers of an image that was built here: for people who ask, not part of the image. */
export interface ImageRecipe {
  /** The Dockerfile as it was named when the image was built. */
  readonly dockerfile: string
  /** What the first FROM of the stage's line names; absent for `scratch`. */
  readonly base?: { readonly reference: string; readonly layers: number }
  /** By position of the layer; null for those of the base. */
  readonly layers: readonly (LayerRecipe | null)[]
}

/** The instruction that made a layer. */
export interface LayerRecipe {
  /** Lines of the Dockerfile, from 1, the last one included. */
  readonly line: number
  readonly endLine: number
  readonly stage: string
  /** On one line, not expanded, as progress shows it. */
  readonly instruction: string
}

/** An image in the store: its configuration (a blob) and its layers. */
export interface ImageRecord {
  /** Digest of its configuration. */
  readonly id: Digest
  /** Base first. */
  readonly layers: readonly LayerId[]
  /** Milliseconds since 1970 when this store got it. */
  readonly made: number
  /** Known of what was built here. */
  readonly recipe?: ImageRecipe
}

/** What a name of a registry turned out to be, for a platform. */
export interface ImageOrigin {
  /** `HOST/PATH:TAG` or `HOST/PATH@DIGEST`, normalised. */
  readonly name: string
  /** What it was asked for, as `formatPlatform` writes it. */
  readonly platform: string
  /** Digest of the configuration. */
  readonly image: Digest
  /** What the name stood for: a manifest or an index. */
  readonly digest: Digest
}

export interface ImageStore {
  get(id: Digest): ImageRecord | undefined
  /** Adds an image; without a recipe, one that was known stays. */
  add(id: Digest, layers: readonly LayerId[], recipe?: ImageRecipe): void
  /** Remembers that `rules` found nothing in the configuration: a name for everything that the outcome depends on. */
  setClean(id: Digest, rules: string): void
  /** Whether `setClean` was told so. */
  isClean(id: Digest, rules: string): boolean
  all(): readonly (ImageRecord & { readonly tags: readonly string[] })[]
  remove(id: Digest): void
  /** The image that a tag names. */
  resolve(reference: Reference): ImageRecord | undefined
  /** Images whose id starts with the hexadecimal digits (with or without `sha256:`). */
  withPrefix(prefix: string): readonly ImageRecord[]
  tag(reference: Reference, id: Digest): void
  /** Returns whether the tag was there. */
  untag(reference: Reference): boolean
  /** Familiar names of an image's tags, sorted. */
  tagsOf(id: Digest): readonly string[]
  /** Remembers where an image came from; a name and platform mean one image. */
  addOrigin(origin: ImageOrigin): void
  /** What is known of a name, for all platforms; images that are gone are left out. */
  origins(name: string): readonly ImageOrigin[]
  /** Where an image came from. */
  originsOf(id: Digest): readonly ImageOrigin[]
}

interface Row {
  id: string
  layers: string
  made: number
  detail: string
}

export function openImageStore(database: DatabaseSync, now: () => number): ImageStore {
  const selectTag = database.prepare(
    'SELECT images.* FROM tags JOIN images ON images.id = tags.image WHERE tags.name = ?',
  )
  const selectTags = database.prepare('SELECT name FROM tags WHERE image = ? ORDER BY name')
  const tagsOf = (id: Digest): string[] =>
    selectTags.all(id).map(row => familiarReference(parseReference(String(row['name']))))
  return {
    get: id => fromRow(database.prepare('SELECT * FROM images WHERE id = ?').get(id)),
    add: (id, layers, recipe) => {
      database
        .prepare(
          `INSERT INTO images (id, layers, made, detail) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
           SET layers = excluded.layers, made = excluded.made,
             detail = iif(excluded.detail = '{}', detail, json_set(detail, '$.recipe', excluded.detail -> '$.recipe'))`,
        )
        .run(id, JSON.stringify(layers), now(), JSON.stringify(recipe ? { recipe } : {}))
    },
    setClean: (id, rules) => {
      database.prepare("UPDATE images SET detail = json_set(detail, '$.clean', ?) WHERE id = ?").run(rules, id)
    },
    isClean: (id, rules) =>
      database.prepare("SELECT 1 FROM images WHERE id = ? AND detail ->> '$.clean' = ?").get(id, rules) !== undefined,
    all: () =>
      database
        .prepare('SELECT * FROM images ORDER BY made DESC, id')
        .all()
        .map(row => toRecord(row as unknown as Row))
        .map(image => ({ ...image, tags: tagsOf(image.id) })),
    remove: id => {
      transaction(database, () => {
        database.prepare('DELETE FROM tags WHERE image = ?').run(id)
        database.prepare('DELETE FROM origins WHERE image = ?').run(id)
        database.prepare('DELETE FROM images WHERE id = ?').run(id)
      })
    },
    resolve: reference => fromRow(selectTag.get(tagName(reference))),
    withPrefix: prefix => {
      const hex = prefix.replace(/^sha256:/, '')
      if (!/^[0-9a-f]{1,64}$/.test(hex)) return []
      return database
        .prepare('SELECT * FROM images WHERE id >= ? AND id < ?')
        .all(`sha256:${hex}`, `sha256:${hex}g`)
        .map(row => toRecord(row as unknown as Row))
    },
    tag: (reference, id) => {
      database
        .prepare('INSERT OR REPLACE INTO tags (name, image, set_at) VALUES (?, ?, ?)')
        .run(tagName(reference), id, now())
    },
    untag: reference => database.prepare('DELETE FROM tags WHERE name = ?').run(tagName(reference)).changes > 0,
    tagsOf,
    addOrigin: ({ name, platform, image, digest }) => {
      database
        .prepare('INSERT OR REPLACE INTO origins (name, platform, image, digest, seen) VALUES (?, ?, ?, ?, ?)')
        .run(name, platform, image, digest, now())
    },
    origins: name =>
      database
        .prepare(
          'SELECT origins.* FROM origins JOIN images ON images.id = origins.image WHERE name = ? ORDER BY seen DESC',
        )
        .all(name)
        .map(toOrigin),
    originsOf: id => database.prepare('SELECT * FROM origins WHERE image = ? ORDER BY name').all(id).map(toOrigin),
  }
}

function toOrigin(row: Readonly<Record<string, unknown>>): ImageOrigin {
  return {
    name: String(row['name']),
    platform: String(row['platform']),
    image: row['image'] as Digest,
    digest: row['digest'] as Digest,
  }
}

function tagName(reference: Reference): string {
  return formatReference({ domain: reference.domain, path: reference.path, tag: reference.tag ?? 'latest' })
}

function fromRow(row: unknown): ImageRecord | undefined {
  return row === undefined ? undefined : toRecord(row as Row)
}

function toRecord(row: Row): ImageRecord {
  const { recipe } = JSON.parse(row.detail) as { recipe?: ImageRecipe }
  const layers = JSON.parse(row.layers) as string[]
  return { id: row.id as Digest, layers, made: row.made, ...(recipe && { recipe }) }
}
