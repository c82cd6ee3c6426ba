import { splitPath } from '#tree'
import type { Need } from './find-needs.ts'

/**
 * `COPY --from` lines that bring what is needed: files of one directory in one line. COPY follows links of its sources, so
 * a library arrives under the name that the loader asks for.
 */
export function copyLines(needs: readonly Need[], from: string): readonly string[] {
  const directories = needs.filter(({ path }) => path.endsWith('/'))
  const isCovered = (path: string): boolean =>
    directories.some(each => each.path !== path && path.startsWith(each.path))
  const files = Map.groupBy(
    needs.filter(({ path }) => !path.endsWith('/') && !isCovered(path)),
    ({ path }) => splitPath(path).parent,
  )
  const lines = [...files].map(([parent, group]) => {
    const target = parent === '' ? '/' : `/${parent}/`
    return copyLine(from, [...group.map(({ path }) => `/${path}`).sort(), target])
  })
  const whole = directories
    .filter(({ path }) => !isCovered(path))
    .map(({ path }) => copyLine(from, [`/${path}`, `/${path}`]))
  return [...lines, ...whole]
}

/** Columns after which an instruction goes on in the next line. */
const longest = 78

/** The same instruction over several lines, where it is long; a list in JSON stays as it is. */
export function foldCopyLine(line: string): string {
  if (line.length <= longest || line.includes(' [')) return line
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > longest - 2) {
      lines.push(current)
      current = `    ${word}`
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, current].join(' \\\n')
}

function copyLine(from: string, words: readonly string[]): string {
  // Wildcards of path.Match must be taken as they are.
  const plain = words.map((word, i) => (i === words.length - 1 ? word : word.replaceAll(/[*?[\\]/g, String.raw`\$&`)))
  const isPlain = words.every(word => !/[\s"'$\\]/.test(word))
  return `COPY --from=${from} ${isPlain ? plain.join(' ') : JSON.stringify(plain)}`
}
