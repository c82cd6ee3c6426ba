import type { Entry } from '#tree'
import { encodeName } from '#tar'
import { readSmallContent } from '#layer'
import { createHash } from 'node:crypto'
import type { ReadPackage } from '../read-packages.ts'
import { publicFile } from '../root-files.ts'
import type { MergedPackage } from './merge-packages.ts'
import type { PackageTree } from './package-tree.ts'

/** Where a system without dpkg says which packages it is made of, one file each: scanners read it there. */
export const statusDirectory = 'var/lib/dpkg/status.d'

/** Bytes of a file that is hashed because its package does not say how. */
const hashLimit = 1 << 30

/**
 * Writes `status.d/NAME` (the package's control fields and its status) and `status.d/NAME.md5sums` (the files of it that are
 * there) for each package.
 */
export function writePackageStatus(
  tree: PackageTree,
  packages: readonly ReadPackage[],
  merged: readonly MergedPackage[],
): void {
  const placesOf = new Map(merged.map(({ name, places }) => [name, places]))
  for (const { record, deb } of packages) {
    const attributes = { ...publicFile, package: record.name }
    const control = (deb.control.get('control')?.bytes.toString('utf8') ?? '').trim()
    const [first = '', ...rest] = control.split('\n')
    const stanza = `${[first, 'Status: install ok installed', ...rest].join('\n')}\n`
    tree.write(`${statusDirectory}/${record.name}`, Buffer.from(stanza), attributes)
    const known = knownSums(deb.control.get('md5sums')?.bytes.toString('utf8') ?? '')
    const lines = [...(placesOf.get(record.name) ?? [])].flatMap(([path, place]) => {
      const entry = tree.owner(place) === record.name ? tree.get(place) : undefined
      if (entry?.type !== 'file') return []
      return `${known.get(path) ?? md5(entry)}  ${path}\n`
    })
    if (lines.length > 0) {
      tree.write(`${statusDirectory}/${record.name}.md5sums`, encodeName(lines.join('')), attributes)
    }
  }
}

/** Path without leading slash → MD5 (deb-md5sums(5)). */
function knownSums(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([0-9a-f]{32}) [ *](.+)$/gm)].map(([, sum = '', path = '']) => [path, sum]))
}

function md5(entry: Entry): string {
  return createHash('md5').update(readSmallContent(entry, hashLimit)).digest('hex')
}
