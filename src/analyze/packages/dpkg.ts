import { cleanPath } from '#tree'
import { type FoundPackage, type PackageSources, textAt } from './package-finder.ts'

const database = 'var/lib/dpkg'

/**
 * Installed Debian packages: `status` with the lists below `info` (dpkg(1)), and `status.d` of images that are composed
 * without dpkg, where `NAME.md5sums` lists the files.
 */
export function dpkgPackages(sources: PackageSources): FoundPackage[] {
  return [...statusPackages(sources), ...statusDirectoryPackages(sources)]
}

function statusPackages(sources: PackageSources): FoundPackage[] {
  const info = new Set(sources.tree.list(`${database}/info`))
  return stanzas(textAt(sources, `${database}/status`)).flatMap(fields => {
    const { Package: name = '', Version: version = '', Status: status = '', Architecture: architecture } = fields
    if (name === '' || !/ (installed|unpacked|half-configured|triggers-\w+)$/.test(status)) return []
    const list = [`${name}:${architecture}.list`, `${name}.list`].find(each => info.has(each))
    const path = `${database}/info/${list ?? ''}`
    const paths = list === undefined ? [] : textAt(sources, path).split('\n').map(relative).filter(isPath)
    return [{ manager: 'dpkg', name, version, path, paths, wholeDirectories: false }]
  })
}

function statusDirectoryPackages(sources: PackageSources): FoundPackage[] {
  const directory = `${database}/status.d`
  const names = sources.tree.list(directory)
  return names.flatMap(file => {
    if (file.endsWith('.md5sums')) return []
    const [fields = {}] = stanzas(textAt(sources, `${directory}/${file}`))
    const { Package: name = '', Version: version = '' } = fields
    if (name === '') return []
    const sums = textAt(sources, `${directory}/${file}.md5sums`).split('\n')
    const paths = sums.map(line => cleanPath(line.slice(34))).filter(isPath)
    return [{ manager: 'dpkg', name, version, path: `${directory}/${file}`, paths, wholeDirectories: false }]
  })
}

function relative(line: string): string {
  return cleanPath(line)
}

function isPath(path: string): boolean {
  return path !== ''
}

/** Paragraphs of a control file (deb-control(5)); continuation lines are dropped. */
function stanzas(text: string): Readonly<Record<string, string>>[] {
  return text.split(/\n\n+/).map(stanza => {
    const fields: Record<string, string> = {}
    for (const line of stanza.split('\n')) {
      const colon = line.indexOf(':')
      if (colon > 0 && !/^\s/.test(line)) fields[line.slice(0, colon)] = line.slice(colon + 1).trim()
    }
    return fields
  })
}
