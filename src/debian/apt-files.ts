import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { UserError } from '#diagnostics'
import type { ResolvedPackage, UsedSuite } from './resolve-base.ts'
import type { RootDirectory } from './root-directory.ts'
import type { Repository } from './select-repositories.ts'

/**
 * Tells apt in a root where its packages come from (`/etc/apt/sources.list`, one line each) and which are only there because
 * others need them (`/var/lib/apt/extended_states`, in which `all` counts as the system's architecture). Keyrings that the base file names are copied to `/etc/apt/keyrings`.
 */
export function writeAptFiles(
  root: RootDirectory,
  suites: readonly UsedSuite[],
  packages: readonly ResolvedPackage[],
  architecture: string,
): void {
  const keyrings = new Map<string, string>()
  const lines = suites.map(suite => sourceLine(suite, copyKeyring(root, suite.repository, keyrings)))
  writeFileSync(at(root, 'etc/apt/sources.list'), [...new Set(lines)].map(line => `${line}\n`).join(''))
  const automatic = packages.filter(item => item.automatic).map(item => item.record)
  if (automatic.length === 0) return
  const stanzas = automatic
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name }) => `Package: ${name}\nArchitecture: ${architecture}\nAuto-Installed: 1\n\n`)
  writeFileSync(at(root, 'var/lib/apt/extended_states'), stanzas.join(''))
}

function at(root: RootDirectory, path: string): string | Buffer {
  return root.at(root.place(path))
}

/** sources.list(5). User and password of an address stay out of the image. */
function sourceLine({ repository, components }: UsedSuite, keyrings: string): string {
  const { uri, suite, trust, checkValidUntil } = repository
  const options = [
    ...(keyrings === '' ? [] : [`signed-by=${keyrings}`]),
    ...(trust.kind === 'unverified' ? ['trusted=yes'] : []),
    ...(checkValidUntil ? [] : ['check-valid-until=no']),
  ]
  const address = uri.replace(/^(https?:\/\/)[^/@]*@/, '$1')
  return ['deb', ...(options.length > 0 ? [`[${options.join(' ')}]`] : []), address, suite, ...components].join(' ')
}

/** Paths in the image, separated by commas; empty where apt's own keys do. */
function copyKeyring(root: RootDirectory, { trust }: Repository, known: Map<string, string>): string {
  const contents =
    trust.kind === 'key'
      ? [{ key: trust.text, bytes: Buffer.from(trust.text) }]
      : trust.kind === 'files' && trust.own
        ? trust.paths.map(path => ({ key: path, bytes: readKeyring(path) }))
        : []
  return contents
    .map(({ key, bytes }) => {
      const place = known.get(key)
      if (place !== undefined) return place
      const ending = bytes.subarray(0, 4096).includes('-----BEGIN PGP') ? 'asc' : 'gpg'
      const made = `/etc/apt/keyrings/slipway-${known.size + 1}.${ending}`
      const directory = at(root, 'etc/apt/keyrings')
      mkdirSync(directory, { recursive: true, mode: 0o755 })
      writeFileSync(at(root, made.slice(1)), bytes, { mode: 0o644 })
      known.set(key, made)
      return made
    })
    .join(',')
}

function readKeyring(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new UserError(`cannot read the keyring ${path}`, { hint: 'check the path', cause })
  }
}
