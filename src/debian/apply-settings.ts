import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type Place, UserError } from '#diagnostics'
import { type Accounts, addAccounts, ownerIds } from './accounts.ts'
import type { FileSpec, SystemSettings } from './base-spec.ts'
import { localCertificates } from './certificates.ts'
import { type FileAttributes, publicFile, type RootFiles } from './root-files.ts'

export interface SettingsContext {
  readonly files: RootFiles
  readonly accounts: Accounts
  /** Where relative paths of the base file start. */
  readonly directory: string
}

/** Does what a base file says about users, directories, files, links and the time zone. Throws a `UserError` with its place. */
export function applySettings(settings: SystemSettings, { files, accounts, directory }: SettingsContext): void {
  addAccounts(accounts, settings)
  for (const { home, name } of settings.users) {
    const user = accounts.user(name)
    if (home === undefined || user === undefined || files.found(home.slice(1)) !== 'nothing') continue
    files.makeDirectory(home.slice(1), { mode: 0o700, uid: user.uid, gid: user.gid })
  }
  for (const { path, mode, owner, at } of settings.directories) {
    const ids = ownerIds(accounts, owner)
    placed(at, () => files.makeDirectory(path, { mode, ...ids }))
  }
  for (const file of settings.files) {
    const attributes = { mode: file.mode, ...ownerIds(accounts, file.owner) }
    placed(file.at, () => writeFile(files, file, { attributes, directory }))
  }
  for (const { path, target, at } of settings.links) placed(at, () => files.link(path, target))
  for (const { path, at } of settings.certificates) addCertificate(files, resolve(directory, path), at)
  if (settings.timezone) setTimezone(files, settings.timezone)
}

/** Gives an error without a place this one. */
function placed(at: Place, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof UserError) || error.at) throw error
    throw new UserError(error.message, { hint: error.hint, at, cause: error })
  }
}

interface Writing {
  readonly attributes: FileAttributes
  readonly directory: string
}

function writeFile(files: RootFiles, { path, content, at }: FileSpec, { attributes, directory }: Writing): void {
  if (content.kind === 'text') return files.write(path, Buffer.from(content.text), attributes)
  copyIn(files, { from: resolve(directory, content.path), to: path, attributes, at })
}

interface Copy {
  readonly from: string
  readonly to: string
  readonly attributes: FileAttributes
  readonly at: Place
}

/** A directory comes with what is in it; its directories can be searched by whoever may read its files. */
function copyIn(files: RootFiles, { from, to, attributes, at }: Copy): void {
  const found = lstatSync(from, { throwIfNoEntry: false })
  if (found?.isDirectory()) {
    const mode = attributes.mode | ((attributes.mode & 0o444) >> 2)
    files.makeDirectory(to, { ...attributes, mode })
    for (const name of readdirSync(from).sort()) {
      copyIn(files, { from: join(from, name), to: `${to}/${name}`, attributes, at })
    }
    return
  }
  files.write(to, readSource(from, at), attributes)
}

function readSource(path: string, at: Place): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new UserError(`cannot read ${path}`, {
      hint: 'paths are relative to the directory of the base file',
      at,
      cause,
    })
  }
}

function addCertificate(files: RootFiles, path: string, at: Place): void {
  const bytes = readSource(path, at)
  if (!bytes.includes('-----BEGIN CERTIFICATE-----')) {
    throw new UserError(`${path} is not a certificate in PEM form`, {
      hint: 'convert it: openssl x509 -inform der -in FILE -out FILE.crt',
      at,
    })
  }
  const name = `${basename(path).replace(/\.(pem|crt|cer)$/, '')}.crt`
  files.write(`${localCertificates}/${name}`, bytes, publicFile)
}

/** As tzdata's script does it: a link and the name. */
function setTimezone(files: RootFiles, { name, at }: { readonly name: string; readonly at: Place }): void {
  if (files.read(`usr/share/zoneinfo/${name}`) === undefined) {
    throw new UserError(`there is no time zone ${name} in this base`, {
      hint: 'write one as in /usr/share/zoneinfo; old names need the package tzdata-legacy in newer releases',
      at,
    })
  }
  files.link('etc/localtime', `/usr/share/zoneinfo/${name}`)
  files.write('etc/timezone', Buffer.from(`${name}\n`), publicFile)
}
