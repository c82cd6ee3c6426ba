import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeName } from '#tar'
import { type ControlParagraph, parseParagraph } from './control-file.ts'
import type { ControlMember } from './deb-file.ts'
import type { UnpackedPackage } from './unpack-package.ts'

/** A package whose files lie in the root, not yet configured. */
export interface InstalledPackage {
  readonly unpacked: UnpackedPackage
  readonly control: ReadonlyMap<string, ControlMember>
  readonly fields: ControlParagraph
}

/** Reads what dpkg's database needs of a package's control archive. */
export function controlFields(control: ReadonlyMap<string, ControlMember>): ControlParagraph {
  return parseParagraph(control.get('control')?.bytes.toString('utf8') ?? '')
}

/** Paths of a package's conffiles (deb-conffiles(5)); those to be removed on upgrades are none of a new system. */
export function conffilesOf(control: ReadonlyMap<string, ControlMember>): readonly string[] {
  const text = control.get('conffiles')?.bytes.toString('utf8') ?? ''
  return text.split('\n').filter(line => line.startsWith('/'))
}

/** How dpkg names a package's files below `info`: with the architecture where several can be installed together. */
export function infoName(fields: ControlParagraph): string {
  const name = fields.get('package') ?? ''
  return fields.get('multi-arch') === 'same' ? `${name}:${fields.get('architecture')}` : name
}

/**
 * Writes dpkg's database below an existing directory as if dpkg had unpacked the packages and configured none: `status`,
 * `info/*`, interests in triggers. Conffiles count as placed already, with the digest that they came with.
 */
export function writeDpkgDatabase(
  directory: string,
  packages: readonly InstalledPackage[],
  architecture: string,
): void {
  for (const name of ['info', 'triggers', 'updates', 'parts', 'alternatives']) {
    mkdirSync(join(directory, name), { recursive: true })
  }
  writeFileSync(join(directory, 'info/format'), '1\n')
  writeFileSync(join(directory, 'arch'), `${architecture}\n`)
  writeFileSync(join(directory, 'diversions'), '')
  for (const installed of packages) writeInfo(join(directory, 'info'), installed)
  writeTriggers(join(directory, 'triggers'), packages)
  writeFileSync(join(directory, 'status'), packages.map(statusStanza).join(''))
}

function writeInfo(directory: string, { unpacked, control, fields }: InstalledPackage): void {
  const prefix = join(directory, infoName(fields))
  writeFileSync(`${prefix}.list`, encodeName(lines([...unpacked.paths])))
  for (const [name, { bytes, mode }] of control) {
    if (name === 'control' || !isControlFile(name)) continue
    writeFileSync(`${prefix}.${name}`, bytes)
    chmodSync(`${prefix}.${name}`, mode)
  }
  if (control.has('md5sums') || unpacked.md5.size === 0) return
  writeFileSync(
    `${prefix}.md5sums`,
    encodeName(lines([...unpacked.md5].map(([path, md5]) => `${md5}  ${path.slice(1)}`))),
  )
}

/** Writes all control files of packages below `directory`, each package's in a directory of its name. */
export function writeControlFiles(directory: string, packages: readonly InstalledPackage[]): void {
  for (const { unpacked, control } of packages) {
    const own = join(directory, unpacked.name)
    mkdirSync(own, { recursive: true })
    for (const [name, { bytes, mode }] of control) {
      if (!isControlFile(name)) continue
      writeFileSync(join(own, name), bytes)
      chmodSync(join(own, name), mode)
    }
  }
}

/** Names that dpkg takes over; a hostile one could leave the directory. */
function isControlFile(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,50}$/.test(name)
}

function lines(items: readonly string[]): string {
  return items.map(item => `${item}\n`).join('')
}

function statusStanza({ unpacked, control }: InstalledPackage): string {
  const text = (control.get('control')?.bytes.toString('utf8') ?? '').trim()
  const conffiles = conffilesOf(control).map(path => `\n ${path} ${unpacked.md5.get(path) ?? 'newconffile'}`)
  const list = conffiles.length > 0 ? `Conffiles:${conffiles.join('')}\n` : ''
  return `${text}\nStatus: install ok unpacked\n${list}\n`
}

/** Interests in files stand in `File`, one a line; a named trigger has a file with its interested packages. */
function writeTriggers(directory: string, packages: readonly InstalledPackage[]): void {
  const files: string[] = []
  const named = new Map<string, string[]>()
  for (const { control, fields } of packages) {
    const text = control.get('triggers')?.bytes.toString('utf8') ?? ''
    for (const match of text.matchAll(/^\s*interest(-await|-noawait)?\s+(\S+)\s*$/gm)) {
      const [, kind, trigger = ''] = match
      const interested = `${infoName(fields)}${kind === '-noawait' ? '/noawait' : ''}`
      if (trigger.startsWith('/')) files.push(`${trigger} ${interested}`)
      else if (/^[A-Za-z0-9+._:-]+$/.test(trigger)) named.set(trigger, [...(named.get(trigger) ?? []), interested])
    }
  }
  writeFileSync(join(directory, 'File'), lines(files))
  writeFileSync(join(directory, 'Unincorp'), '')
  for (const [trigger, interested] of named) writeFileSync(join(directory, trigger), lines(interested))
}
