import { cleanPath, splitPath } from '#tree'
import { type FoundPackage, type PackageSources, textAt } from './package-finder.ts'

/** Packages below `node_modules`: `package.json` gives name and version, the directory is the package. */
export function npmPackages(sources: PackageSources): FoundPackage[] {
  return sources.hints.npm.map(path => {
    const { parent } = splitPath(path)
    const { name, version } = jsonObject(textAt(sources, path))
    return {
      manager: 'npm',
      name: typeof name === 'string' ? name : parent.slice(parent.lastIndexOf('node_modules/') + 13),
      version: typeof version === 'string' ? version : '',
      path: parent,
      paths: [parent],
      wholeDirectories: true,
    }
  })
}

/** An object, or an empty one for what is none. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}

/**
 * Python distributions: `NAME.dist-info` with METADATA and RECORD (packaging.python.org, "Recording installed projects"),
 * and the older `NAME.egg-info` with PKG-INFO and installed-files.txt or top_level.txt.
 */
export function pythonPackages(sources: PackageSources): FoundPackage[] {
  return sources.hints.python.flatMap(path => {
    const isEgg = path.endsWith('.egg-info')
    const { parent: site, name: base } = splitPath(path)
    const about = isEgg
      ? textAt(sources, `${path}/PKG-INFO`) || textAt(sources, path)
      : textAt(sources, `${path}/METADATA`)
    const [stem = '', stemVersion = ''] = base.replace(/\.(dist|egg)-info$/, '').split('-')
    const name = header(about, 'Name') ?? stem
    const version = header(about, 'Version') ?? stemVersion
    const listed = isEgg ? eggFiles(sources, path, site) : recordFiles(textAt(sources, `${path}/RECORD`), site)
    // RECORD may be missing, or not name itself.
    const own = isEgg ? [] : sources.tree.list(path).map(file => `${path}/${file}`)
    return [{ manager: 'python', name, version, path, paths: [path, ...own, ...listed], wholeDirectories: isEgg }]
  })
}

function header(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.+?)\\r?$`, 'm').exec(text.slice(0, 8192))?.[1]
}

/** RECORD is CSV: path, hash, size; a path with a comma or a quote is quoted. Paths are relative to site-packages. */
function recordFiles(record: string, site: string): string[] {
  return record.split('\n').flatMap(line => {
    const quoted = /^"((?:[^"]|"")*)"/.exec(line)?.[1]?.replaceAll('""', '"')
    const path = quoted ?? line.slice(0, Math.max(0, line.indexOf(',')))
    return path === '' ? [] : [cleanPath(path.startsWith('/') ? path : `${site}/${path}`)]
  })
}

function eggFiles(sources: PackageSources, egg: string, site: string): string[] {
  const installed = textAt(sources, `${egg}/installed-files.txt`)
  if (installed !== '') return lines(installed).map(path => cleanPath(`${egg}/${path}`))
  return lines(textAt(sources, `${egg}/top_level.txt`)).flatMap(name => [`${site}/${name}`, `${site}/${name}.py`])
}

function lines(text: string): string[] {
  return text.split('\n').flatMap(line => (line.trim() === '' ? [] : [line.trim()]))
}

/** Ruby gems: `specifications/NAME-VERSION.gemspec` beside `gems/NAME-VERSION` and `extensions/…/NAME-VERSION`. */
export function gemPackages(sources: PackageSources): FoundPackage[] {
  return sources.hints.gems.map(path => {
    const { parent, name: file } = splitPath(path)
    const full = file.replace(/\.gemspec$/, '')
    const [, name = full, version = ''] = /^(.*?)-(\d[^-]*(?:-[a-z].*)?)$/.exec(full) ?? []
    const home = parent.replace(/\/?specifications(\/default)?$/, '')
    const extensions = sources.tree
      .list(`${home}/extensions`)
      .flatMap(platform =>
        sources.tree.list(`${home}/extensions/${platform}`).map(api => `${home}/extensions/${platform}/${api}/${full}`),
      )
    return {
      manager: 'gem',
      name,
      version,
      path,
      paths: [path, `${home}/gems/${full}`, `${home}/doc/${full}`, ...extensions],
      wholeDirectories: true,
    }
  })
}
