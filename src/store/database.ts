import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { UserError } from '#diagnostics'
import { makeDirectories } from '#linux'

/** The oldest version that can be brought up to date, and its tables. */
const firstVersion = 2

const schema = `
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

/**
 * Each makes the next version out of the one before; a new store goes through all of them. A store of any other version is
 * refused, never guessed at.
 */
const migrations: readonly string[] = [
  // 3: where layers can be had that are not here, and where images came from.
  `
CREATE TABLE places (
  diff_id TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
  seen INTEGER NOT NULL, PRIMARY KEY (diff_id, repository, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE origins (
  name TEXT NOT NULL, platform TEXT NOT NULL, image TEXT NOT NULL, digest TEXT NOT NULL, seen INTEGER NOT NULL,
  PRIMARY KEY (name, platform)
) STRICT, WITHOUT ROWID;
CREATE INDEX origins_by_image ON origins (image);
`,
  // 4: compressed forms by how they were made, not only by their type; nobody wrote the table before.
  `
DROP TABLE compressed;
CREATE TABLE compressed (
  diff_id TEXT NOT NULL, variant TEXT NOT NULL, media_type TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
  PRIMARY KEY (diff_id, variant)
) STRICT, WITHOUT ROWID;
`,
]

const version = firstVersion + migrations.length

/**
 * Opens the store's database, making it where it is missing. Throws a `UserError` for a store of another version, one
 * that cannot be written, or one that another process keeps locked.
 */
export function openDatabase(root: string): DatabaseSync {
  makeDirectories(root, 0o700)
  const path = join(root, 'slipway.db')
  try {
    const database = new DatabaseSync(path, { timeout: 20_000 })
    const found = userVersion(database)
    if (found !== version) create(database, path)
    // WAL outlives this process in the file; NORMAL is safe against kill, and a lost last record only costs a rebuild.
    // The log is read again by the next process, so it is kept short: moved into the database after some 250 pages of 4 KiB.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 250')
    return database
  } catch (error) {
    throw explain(error, path)
  }
}

function userVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
}

function create(database: DatabaseSync, path: string): void {
  if (userVersion(database) === 0) database.exec('PRAGMA journal_mode = WAL')
  database.exec('BEGIN IMMEDIATE')
  const found = userVersion(database)
  const known = found === 0 || (found >= firstVersion && found <= version)
  if (known) {
    const changes = [...(found === 0 ? [schema] : []), ...migrations.slice(Math.max(0, found - firstVersion))]
    database.exec(`${changes.join('')} PRAGMA user_version = ${version};`)
  }
  database.exec('COMMIT')
  if (!known) {
    throw new UserError(`the store at ${path} has format ${found}; this slipway knows format ${version}`, {
      hint: 'use the slipway that made it, or name another directory with SLIPWAY_ROOT',
    })
  }
}

function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error
  const text = error.message
  if (/locked|busy/i.test(text)) {
    return new UserError(`the store at ${path} is locked by another process`, {
      hint: 'wait until it ends; `fuser` on the file tells which one it is',
      cause: error,
    })
  }
  if (/not a database|malformed/i.test(text)) {
    return new UserError(`the store's database ${path} is damaged: ${text}`, {
      hint: 'move the store directory away; what it held will be built again',
      cause: error,
    })
  }
  if (/unable to open|readonly|permission/i.test(text)) {
    return new UserError(`cannot open the store's database ${path}: ${text}`, {
      hint: 'check the permissions, or name another directory with SLIPWAY_ROOT',
      cause: error,
    })
  }
  return error
}

/** Runs `body` in one write transaction. */
export function transaction<T>(database: DatabaseSync, body: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = body()
    database.exec('COMMIT')
    return result
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
