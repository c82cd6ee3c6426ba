import { lstatSync, lutimesSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { decodeName } from '#tar'
import type { RootDirectory } from './root-directory.ts'

/** Files that only the machine or the moment explain; all of them are made again when needed. */
const transient = [
  'etc/.pwd.lock',
  'etc/group-',
  'etc/gshadow-',
  'etc/passwd-',
  'etc/shadow-',
  'etc/subgid-',
  'etc/subuid-',
  'var/cache/debconf/config.dat-old',
  'var/cache/debconf/passwords.dat-old',
  'var/cache/debconf/templates.dat-old',
  'var/cache/ldconfig/aux-cache',
  'var/lib/dbus/machine-id',
  'var/lib/dpkg/available-old',
  'var/lib/dpkg/diversions-old',
  'var/lib/dpkg/lock',
  'var/lib/dpkg/lock-frontend',
  'var/lib/dpkg/statoverride-old',
  'var/lib/dpkg/status-old',
  'var/lib/dpkg/triggers/Lock',
  'var/lib/systemd/random-seed',
]

/** Directories whose content goes, but for `keep`: a name, or `structure`, which is all directories and empty files. */
const emptied: readonly { readonly path: string; readonly keep?: string }[] = [
  { path: 'run', keep: 'lock' },
  { path: 'tmp' },
  { path: 'var/tmp' },
  { path: 'var/log', keep: 'structure' },
  { path: 'var/cache/apt', keep: 'structure' },
  { path: 'var/lib/apt/lists', keep: 'structure' },
]

/**
 * Removes what would make two roots of the same packages differ: logs, caches, backups, locks, the machine's id, days of password
 * changes, and times younger than `epoch` (seconds since 1970). Empty log files stay, with their modes.
 */
export function cleanRoot(root: RootDirectory, epoch: number): void {
  for (const path of transient) {
    const place = root.existing(path)
    if (place !== undefined) rmSync(root.at(place))
  }
  for (const { path, keep } of emptied) {
    const place = root.existing(path)
    if (place !== undefined) empty(root, place, keep)
  }
  const machineId = root.existing('etc/machine-id')
  if (machineId !== undefined && root.found(machineId) === 'other') writeFileSync(root.at(machineId), '')
  cleanShadow(root, epoch)
  limitTimes(root, '', epoch)
}

/** Names of a directory's entries. */
function names(root: RootDirectory, place: string): readonly string[] {
  return readdirSync(root.at(place), { encoding: 'buffer' }).map(decodeName)
}

function empty(root: RootDirectory, place: string, keep: string | undefined): void {
  if (root.found(place) !== 'directory') return
  for (const name of names(root, place)) {
    const inner = `${place}/${name}`
    if (name === keep) continue
    if (keep !== 'structure') rmSync(root.at(inner), { recursive: true, force: true })
    else if (root.found(inner) === 'directory') empty(root, inner, keep)
    else if (lstatSync(root.at(inner)).size > 0) rmSync(root.at(inner))
  }
}

const secondsPerDay = 86_400

/** The day of the last change becomes that of `epoch` where it is later (shadow(5), field 3). */
function cleanShadow(root: RootDirectory, epoch: number): void {
  const place = root.existing('etc/shadow')
  if (place === undefined || root.found(place) !== 'other') return
  const file = root.at(place)
  const limit = Math.floor(epoch / secondsPerDay)
  const text = readFileSync(file, 'latin1')
  const cleaned = text.replace(/^([^:\n]*:[^:\n]*:)(\d+)(?=:)/gm, (line, before: string, day: string) =>
    Number(day) > limit ? `${before}${limit}` : line,
  )
  if (cleaned !== text) writeFileSync(file, cleaned, 'latin1')
}

/** Children first: nothing is changed in a directory after its own time is set. */
function limitTimes(root: RootDirectory, place: string, epoch: number): void {
  for (const name of names(root, place)) {
    const inner = place === '' ? name : `${place}/${name}`
    const found = lstatSync(root.at(inner))
    if (found.isDirectory()) limitTimes(root, inner, epoch)
    else if (found.mtimeMs > epoch * 1000) lutimesSync(root.at(inner), epoch, epoch)
  }
  if (lstatSync(root.at(place)).mtimeMs > epoch * 1000) lutimesSync(root.at(place), epoch, epoch)
}
