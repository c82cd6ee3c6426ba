import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scanDirectory } from '#layer'
import { getXattrs } from '#linux'
import { decodeName } from '#tar'
import type { ComposedSystem } from './compose-options.ts'
import { openRootDirectory } from './root-directory.ts'

/** A finished root as entries, with the packages that dpkg's lists give them to. Their contents stay where they are. */
export function scanRoot(path: string): Extract<ComposedSystem, { kind: 'entries' }> {
  let owners: ReadonlyMap<string, string> | undefined
  return {
    kind: 'entries',
    entries: scanDirectory(path, { overlay: false, xattrs: getXattrs }),
    owner(place) {
      owners ??= readOwners(path)
      return owners.get(place)
    },
  }
}

function readOwners(path: string): ReadonlyMap<string, string> {
  const root = openRootDirectory(path)
  const info = 'var/lib/dpkg/info'
  const owners = new Map<string, string>()
  for (const file of readdirSync(join(path, info)).sort()) {
    const [, name = ''] = /^([^:]+)(?::[^.]*)?\.[a-z0-9]+$/.exec(file) ?? []
    owners.set(`${info}/${file}`, name)
    if (!file.endsWith('.list')) continue
    for (const line of decodeName(readFileSync(join(path, info, file))).split('\n')) {
      const place = line.startsWith('/') ? root.existing(line.slice(1)) : undefined
      // A directory belongs to the first that has it.
      if (place !== undefined && !owners.has(place)) owners.set(place, name)
    }
  }
  return owners
}
