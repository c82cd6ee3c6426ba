import type { ContextObject } from './build-case.ts'
import type { Random } from './random.ts'

const names = ['a', 'b', 'c', 'ab', 'one.txt', 'two.md', 'Main.c', '.hidden', 'sp ace', 'ünï', 'lit[1]', 'x-1', 'star*']
const fileModes = [0o644, 0o644, 0o755, 0o600, 0o444, 0o4755, 0o2755, 0o664]
const directoryModes = [0o755, 0o755, 0o755, 0o700, 0o711, 0o775, 0o1777, 0o2755]

/** A small tree: directories to depth 3, files, links of both kinds to everywhere, pipes, archives. */
export function generateContext(random: Random): ContextObject[] {
  const objects: ContextObject[] = []
  const taken = new Set(['Dockerfile', '.dockerignore'])
  const count = 2 + random.below(10)
  for (let i = 0; i < count; i++) {
    const parents = [
      '',
      '',
      ...objects.filter(({ kind, path }) => kind === 'directory' && depth(path) < 3).map(o => o.path),
    ]
    const parent = random.pick(parents)
    const path = parent === '' ? random.pick(names) : `${parent}/${random.pick(names)}`
    if (taken.has(path)) continue
    taken.add(path)
    objects.push(generateObject(random, path, objects))
  }
  return objects
}

function generateObject(random: Random, path: string, before: readonly ContextObject[]): ContextObject {
  const kind = random.weighted<ContextObject['kind']>([
    [10, 'file'],
    [8, 'directory'],
    [4, 'symlink'],
    [1, 'hardlink'],
    [1, 'archive'],
  ])
  const files = before.filter(object => object.kind === 'file')
  if (kind === 'symlink') return { path, kind, mode: 0o777, value: linkTarget(random, path, before) }
  if (kind === 'hardlink' && files.length > 0) {
    return { path, kind, mode: 0o644, value: random.pick(files).path }
  }
  if (kind === 'directory') return { path, kind, mode: random.pick(directoryModes), value: '' }
  if (kind === 'archive') return { path, kind, mode: 0o644, value: random.pick(['gzip', 'none']) }
  const text = random.pick(['', 'x\n', 'hello\n', `${path}\n`, '#!/bin/sh\necho hi\n'])
  return { path, kind: random.oneIn(25) ? 'fifo' : 'file', mode: random.pick(fileModes), value: text }
}

function linkTarget(random: Random, path: string, before: readonly ContextObject[]): string {
  const up = '../'.repeat(depth(path) - 1)
  const other = before.length === 0 ? 'nothing' : random.pick(before).path
  // A link to nothing, or to itself, is a mistake wherever a wildcard meets it.
  const broken = random.oneIn(4) ? 1 : 0
  return random.weighted([
    [6, `${up}${other}`],
    [2, `/${other}`],
    [1, `../../../${other}`],
    [broken, 'nothing'],
    [broken, path.split('/').at(-1) ?? 'loop'],
    [broken, '.'],
    [broken, '/etc'],
  ])
}

function depth(path: string): number {
  return path.split('/').length
}

/** Lines of an ignore file that have something to say about this context. */
export function generateIgnore(random: Random, objects: readonly ContextObject[]): string[] {
  if (objects.length === 0 || !random.oneIn(3)) return []
  return random.list(1, 4, () => {
    const parts = random.pick(objects).path.split('/').map(escapeGlob)
    const at = random.below(parts.length)
    const replaced = parts.with(at, random.pick(['*', '**', parts[at] ?? '*', `${parts[at]?.slice(0, 1) ?? ''}*`, '?']))
    const pattern = random.weighted([
      [4, parts.join('/')],
      [4, replaced.join('/')],
      [2, `**/${parts.at(-1)}`],
      [1, `/${parts.join('/')}/`],
      [1, `./x/../${parts.join('/')}`],
      [1, '*'],
      [1, '*/*'],
      [1, '# comment'],
      [1, '.'],
    ])
    return pattern.startsWith('#') || !random.oneIn(3) ? pattern : `!${pattern}`
  })
}

/** A path as a pattern that means just this path. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
