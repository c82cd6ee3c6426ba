import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AptSource, parseDeb822Sources, parseOneLineSources } from './apt-sources.ts'

/** What a machine's files say about packages; every part may be missing, as on other distributions. */
export interface HostApt {
  readonly sources: readonly AptSource[]
  /** Keyrings that exist: of the distribution first, then those apt trusts. Absolute paths including the root. */
  readonly keyrings: readonly string[]
  /** False where apt is told not to look at Valid-Until. */
  readonly checkValidUntil: boolean
  /** `debian`, `ubuntu`, … (os-release(5)). */
  readonly distribution: string | undefined
  /** `bookworm`; also what suites of `sources` are derived from. */
  readonly codename: string | undefined
}

/** Reads the configuration of apt below `root` (`/` for this machine). Never throws. */
export function readHostApt(root: string): HostApt {
  const text = (path: string): string => readText(join(root, path))
  const list = (path: string, ending: RegExp): string[] => listFiles(join(root, path), ending)
  const release = new Map(
    [...text('etc/os-release').matchAll(/^([A-Z_]+)=["']?([^"'\n]*)["']?$/gm)].map(m => [m[1] ?? '', m[2] ?? '']),
  )
  const settings = [text('etc/apt/apt.conf'), ...list('etc/apt/apt.conf.d', /^[\w.-]+$/).map(readText)].join('\n')
  return {
    sources: [
      ...parseOneLineSources(text('etc/apt/sources.list')),
      ...list('etc/apt/sources.list.d', /\.list$/).flatMap(file => parseOneLineSources(readText(file))),
      ...list('etc/apt/sources.list.d', /\.sources$/).flatMap(file => parseDeb822Sources(readText(file))),
    ].map(source => ({ ...source, signedBy: source.signedBy.map(path => join(root, path)) })),
    keyrings: [
      ...list('usr/share/keyrings', /^(debian|ubuntu)-archive-keyring\.(gpg|pgp|asc)$/),
      ...list('etc/apt/trusted.gpg.d', /\.(gpg|asc)$/),
    ],
    checkValidUntil: !/^\s*Acquire::Check-Valid-Until\s+"?(false|no|0|off)"?\s*;/im.test(settings),
    distribution: release.get('ID'),
    codename: release.get('VERSION_CODENAME'),
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listFiles(directory: string, ending: RegExp): string[] {
  try {
    return readdirSync(directory)
      .filter(name => ending.test(name))
      .sort()
      .map(name => join(directory, name))
  } catch {
    return []
  }
}
