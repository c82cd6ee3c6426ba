import { posix } from 'node:path'
import type { Kind, Stage, Surroundings } from './generate-case.ts'
import { escapeGlob } from './generate-context.ts'

/** COPY and ADD: every shape of source and destination, from the context and from stages, with owners and modes. */
export function generateCopy(around: Surroundings): string {
  const { random, stages } = around
  const from = stages.length > 0 && random.oneIn(3) ? random.pick(stages) : undefined
  const keyword = from === undefined && random.oneIn(4) ? 'ADD' : 'COPY'
  const count = random.weighted([
    [8, 1],
    [2, 2],
    [1, 3],
  ])
  const sources = Array.from({ length: count }, () =>
    from === undefined ? contextSource(around) : stageSource(around, from),
  )
  const several = count > 1 || sources.some(source => /[*?[]/.test(source))
  const file = !several && from === undefined && isFile(around, sources[0] ?? '') && keyword === 'COPY'
  const destination = fittingDestination(around, { directory: several && !random.oneIn(30), file })
  const flags = [
    ...(from === undefined ? [] : [`--from=${random.oneIn(6) ? stages.indexOf(from) : from.name}`]),
    ...(random.oneIn(4) ? [`--chown=${chown(around)}`] : []),
    ...(random.oneIn(5) ? [`--chmod=${random.pick(['644', '0755', '600', '0777', '4755', '0'])}`] : []),
  ]
  const words = [...sources, destination]
  const needsJson = words.some(word => /\s/.test(word))
  const list = needsJson || random.oneIn(8) ? JSON.stringify(words) : words.join(' ')
  return [keyword, ...flags, list].join(' ')
}

/** The one source is an ordinary file of the context. */
function isFile({ objects }: Surroundings, source: string): boolean {
  return objects.some(({ kind, path }) => kind === 'file' && escapeDollar(escapeGlob(path)) === source)
}

interface Wanted {
  /** The destination should end with a slash. */
  readonly directory: boolean
  /** What is copied is one file. */
  readonly file: boolean
}

/** A destination, and mostly one onto which the sources fit: else nearly half of all cases would be mistakes. */
function fittingDestination(around: Surroundings, wanted: Wanted): string {
  const { random, stage } = around
  let chosen = ''
  for (let tries = random.oneIn(12) ? 1 : 8; tries > 0; tries--) {
    chosen = generateDestination(around, wanted.directory)
    const kind = wanted.file && !chosen.endsWith('/') ? 'file' : 'directory'
    if (fits(stage, chosen, kind)) break
  }
  if (!chosen.startsWith('/') || chosen.includes('$')) return chosen
  stage.destinations.push(chosen)
  const path = posix.normalize(chosen).replace(/(.)\/$/, '$1')
  if (!stage.kinds.has(path)) stage.kinds.set(path, wanted.file && !chosen.endsWith('/') ? 'file' : 'directory')
  for (let above = posix.dirname(path); above !== '/'; above = posix.dirname(above))
    if (!stage.kinds.has(above)) stage.kinds.set(above, 'directory')
  return chosen
}

/** A file goes onto a file or into a directory; a directory onto nothing but directories. */
function fits({ kinds }: Stage, destination: string, kind: Kind): boolean {
  const path = posix.normalize(destination).replace(/(.)\/$/, '$1')
  if (kind === 'directory' && kinds.get(path) === 'file') return false
  for (let above = posix.dirname(path); above !== '/' && above !== '.'; above = posix.dirname(above))
    if (kinds.get(above) === 'file') return false
  return true
}

function chown({ random, stage }: Surroundings): string {
  const numbers = ['1', '12:34', '0:5', '65534', '7:0']
  return random.pick(
    stage.hasBase ? [...numbers, 'app', 'svc', 'app:staff', 'nobody', '5:audio', 'root:services', 'svc:29'] : numbers,
  )
}

function contextSource({ random, objects, variables, ignores }: Surroundings): string {
  // What is left out cannot be named; what is beside it can.
  if (ignores && !random.oneIn(12)) return random.pick(['.', '*', '?*', '*/*', './'])
  const usable = objects.filter(
    ({ kind, value }) => kind !== 'symlink' || objects.some(({ path }) => value.endsWith(path)),
  )
  if (usable.length === 0) return '.'
  const { path, kind } = random.pick(usable)
  const plain = escapeDollar(escapeGlob(path))
  const parts = plain.split('/')
  const at = random.below(parts.length)
  const name = parts[at] ?? 'a'
  const wild = random.pick([
    '*',
    `${name.slice(0, 1).replace('\\', '*')}*`,
    '?*',
    '[a-z]*',
    '[^.]*',
    `*${path.slice(-1)}`,
  ])
  const variable = variables.length > 0 ? random.pick(variables) : 'NONE'
  const directory = kind === 'directory' || random.oneIn(8) ? 1 : 0
  return random.weighted([
    [8, plain],
    [2, `/${plain}`],
    [1, `./${plain}`],
    [3 * directory, `${plain}/`],
    [2 * directory, `${plain}/.`],
    [1, `../${plain}`],
    [1, `gone/../${plain}`],
    [5, parts.with(at, wild).join('/')],
    [3 * directory, `${plain}/*`],
    [1, '*'],
    [2, '.'],
    [1, 'zz*'],
    [random.oneIn(10) ? 1 : 0, `\${${variable}:+zz}${plain}`],
    [1, `\${NOTHING}${plain}`],
  ])
}

const baseSources = [
  '/etc/passwd',
  '/etc',
  '/etc/os-release',
  '/opt',
  '/opt/*',
  '/opt/current',
  '/opt/current/',
  '/home',
  '/srv/shared',
  '/usr/share/doc',
  '/usr/bin/raise',
  '/lib64',
  '/var',
  '/root',
  '/opt/tool/lib/*.txt',
]

function stageSource({ random }: Surroundings, { destinations, hasBase }: Stage): string {
  const made = destinations.length > 0 ? random.pick(destinations) : '/'
  return random.weighted([
    [6, made.endsWith('/') && random.oneIn(2) ? made.slice(0, -1) || '/' : made],
    [2, `${made.replace(/\/$/, '')}/*`],
    [hasBase || random.oneIn(30) ? 3 : 0, random.pick(baseSources)],
    [1, '/'],
    [1, '/*'],
    [1, '.'],
  ])
}

/** What the destinations in the test base are. */
export const baseKinds: readonly (readonly [string, Kind])[] = [
  ['/etc', 'directory'],
  ['/etc/passwd', 'file'],
  ['/etc/os-release', 'file'],
  ['/opt/tool', 'directory'],
  ['/opt/tool/README', 'file'],
  ['/opt/tool/lib/deep', 'directory'],
  ['/tmp', 'directory'],
]

const destinationNames = ['/d', '/d/e', '/d/e/f', '/x', '/new/deep/er', '/etc', '/a', '/a/b', '/with.dot']
const baseDestinations = [
  '/opt/current',
  '/opt/tool',
  '/opt/tool/README',
  '/etc/os-release',
  '/lib64',
  '/var/run',
  '/usr/share/doc',
  '/home/app',
  '/srv/shared',
  '/srv/shared/new/dir',
  '/tmp',
  '/etc/passwd',
  '/opt/tool/lib/deep',
  '/var/run/x',
  '/lib64/x/y',
]

function generateDestination(around: Surroundings, directory: boolean): string {
  const {
    random,
    stage: { destinations, hasBase },
    variables,
  } = around
  const variable = variables.length > 0 ? random.pick(variables) : 'UNSET'
  const chosen = random.weighted([
    [8, random.pick(destinationNames)],
    [hasBase ? 4 : 0, random.pick(baseDestinations)],
    [4, destinations.length > 0 ? random.pick(destinations) : '/d'],
    [2, random.pick(['.', './', 'rel', 'rel/sub/', '..', '../up/', './q/../r'])],
    [2, '/'],
    [1, `/v/\${${variable}:-unset}`],
    [1, '/d/../z'],
    [1, '/d//e'],
  ])
  const text =
    directory && !chosen.endsWith('/') ? `${chosen}/` : random.oneIn(3) && !chosen.endsWith('/') ? `${chosen}/` : chosen
  return text
}

function escapeDollar(text: string): string {
  return text.replaceAll('$', '\\$')
}
