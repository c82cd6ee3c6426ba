import { type FoundPackage, type PackageSources, textAt } from './package-finder.ts'

/** Alpine's packages: the installed database (apk-package(5)), lines `P:`, `V:`, `F:` directory, `R:` file in it. */
export function apkPackages(sources: PackageSources): FoundPackage[] {
  for (const path of ['lib/apk/db/installed', 'usr/lib/apk/db/installed']) {
    const text = textAt(sources, path)
    if (text !== '') return text.split(/\n\n+/).flatMap(record => apkPackage(record, path))
  }
  return []
}

function apkPackage(record: string, path: string): FoundPackage[] {
  let [name, version, directory] = ['', '', '']
  const paths: string[] = []
  for (const line of record.split('\n')) {
    const value = line.slice(2)
    if (line.startsWith('P:')) name = value
    else if (line.startsWith('V:')) version = value
    else if (line.startsWith('F:')) directory = value
    else if (line.startsWith('R:')) paths.push(directory === '' ? value : `${directory}/${value}`)
  }
  return name === '' ? [] : [{ manager: 'apk', name, version, path, paths, wholeDirectories: false }]
}
