import type { DatabaseSync } from 'node:sqlite'
import { transaction } from './database.ts'
import type { LayerId } from './layer-store.ts'

/** The named inputs of a key, kept so that a miss can be explained. Never holds a secret's value. */
export type CacheInputs = Readonly<Record<string, unknown>>

/** One remembered answer. */
export interface CacheRecord {
  readonly key: string
  readonly family?: string
  readonly inputs: CacheInputs
}

/** What was made before: cache key → layer. */
export interface RecordStore {
  find(key: string): LayerId | undefined
  /** Whether anything was ever recorded in a family: the same step on the same parent, whatever it read. */
  hasFamily(family: string): boolean
  /** All records that give a layer, in the order of their keys. */
  ofLayer(layer: LayerId): readonly CacheRecord[]
  /** Records the layer under all its keys; a later record of a key replaces an earlier one. */
  record(
    keys: readonly string[],
    layer: LayerId,
    about: { readonly inputs: CacheInputs; readonly family?: string },
  ): void
}

export function openRecordStore(database: DatabaseSync, now: () => number): RecordStore {
  const select = database.prepare('SELECT layer FROM records WHERE key = ?')
  const selectFamily = database.prepare('SELECT 1 AS found FROM records WHERE family = ? LIMIT 1')
  const insert = database.prepare(
    'INSERT OR REPLACE INTO records (key, layer, family, inputs, used) VALUES (?, ?, ?, ?, ?)',
  )
  return {
    find: key => select.get(key)?.['layer'] as string | undefined,
    hasFamily: family => selectFamily.get(family) !== undefined,
    ofLayer: layer =>
      database
        .prepare('SELECT key, family, inputs FROM records WHERE layer = ? ORDER BY key')
        .all(layer)
        .map(row => ({
          key: String(row['key']),
          ...(typeof row['family'] === 'string' && { family: row['family'] }),
          inputs: JSON.parse(String(row['inputs'])) as CacheInputs,
        })),
    record: (keys, layer, { inputs, family }) => {
      const text = JSON.stringify(inputs)
      transaction(database, () => {
        for (const key of keys) insert.run(key, layer, family ?? null, text, now())
      })
    },
  }
}
