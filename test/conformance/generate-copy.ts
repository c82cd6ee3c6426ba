import type { Stage, Surroundings } from './generate-case.ts'
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
  const destination = generateDestination(around, several && !random.oneIn(8))
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

function chown({ random, stage }: Surroundings): string {
  const numbers = ['1', '12:34', '0:5', '65534', '7:0']
  return random.pick(
    stage.hasBase ? [...numbers, 'app', 'svc', 'app:staff', 'nobody', '5:audio', 'root:services', 'svc:29'] : numbers,
  )
}

function contextSource({ random, objects, variables, ignores }: Surroundings): string {
  // What is left out cannot be named; what is beside it can.
  if (ignores && !random.oneIn(6)) return random.pick(['.', '*', '?*', '*/*', './'])
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
    [random.oneIn(4) ? 1 : 0, `\${${variable}:+zz}${plain}`],
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
    [hasBase || random.oneIn(8) ? 3 : 0, random.pick(baseSources)],
    [1, '/'],
    [1, '/*'],
    [1, '.'],
  ])
}

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
  if (text.startsWith('/') && !text.includes('$')) destinations.push(text)
  return text
}

function escapeDollar(text: string): string {
  return text.replaceAll('$', '\\$')
}
