/**
 * The design's rules about folders, imports and names, as functions over file names and texts, so that the checker can
 * itself be tested on a bad example.
 */

/** Rooms by row; a room imports only from earlier rows. docs/architecture.md says what each is for. */
export const rows: readonly (readonly string[])[] = [
  ['diagnostics'],
  ['tar'],
  ['oci', 'dockerfile', 'secrets', 'linux', 'http'],
  ['tree', 'plan', 'lint'],
  ['store', 'layer', 'registry'],
  ['image', 'rootfs', 'sources', 'debian', 'scan'],
  ['analyze', 'build'],
  ['slim', 'fix'],
  ['cli'],
]

export interface SourceFile {
  /** Relative to the repository, `src/ROOM/…`. */
  readonly path: string
  readonly text: string
}

/** What only some rooms may import or say. */
interface Reserved {
  readonly what: string
  readonly pattern: RegExp
  readonly rooms: readonly string[]
  /** Files that may nevertheless, with the reason. */
  readonly exceptions?: Readonly<Record<string, string>>
}

const modules = (...names: string[]): RegExp =>
  new RegExp(`(?:from|import|import\\(|require\\()\\s*['"](?:${names.join('|')})(?:/[^'"]*)?['"]`)

export const reserved: readonly Reserved[] = [
  { what: 'koffi (system calls)', pattern: modules('koffi'), rooms: ['linux'] },
  {
    what: 'child processes',
    pattern: modules('node:child_process', 'child_process'),
    rooms: ['linux'],
  },
  {
    what: 'the network',
    pattern: modules(
      'undici',
      'node:http',
      'node:https',
      'node:http2',
      'node:net',
      'node:tls',
      'node:dgram',
      'node:dns',
    ),
    rooms: ['http'],
    exceptions: {
      'src/plan/exposed-ports.ts': 'isIP is a pure function',
      'src/linux/forward-agent.ts': 'sockets of this machine, not of the network',
      'src/linux/output-pipe.ts': 'reads a pipe',
      'src/linux/start-sandbox.ts': 'reads the channel of a child',
    },
  },
  { what: 'the global fetch', pattern: /(?<![\w.#$])fetch\(/, rooms: ['http'] },
  { what: 'SQLite', pattern: modules('node:sqlite'), rooms: ['store'] },
  { what: 'commander', pattern: modules('commander'), rooms: ['cli'] },
  { what: 'openpgp', pattern: modules('openpgp'), rooms: ['debian'] },
  { what: 'the environment', pattern: /\bprocess\.env\b|\benv\b[^}\n]*\}\s*=\s*process\b/, rooms: ['cli'] },
  { what: 'arguments of the process', pattern: /\bprocess\.(argv|execArgv)\b/, rooms: ['cli'] },
  { what: 'the terminal', pattern: /\bprocess\.(stdout|stderr|stdin)\b|\bconsole\.\w+\(/, rooms: ['cli'] },
  { what: 'ending the process', pattern: /\bprocess\.(exit|exitCode|abort)\b/, rooms: ['cli'] },
]

/** Names that say nothing about what is in a file (principle 14). */
const emptyNames = /(^|[-/])(utils?|common|helpers?|manager|misc|shared|stuff)(?=[-./]|$)/

/** Beyond this many lines a file must be split; the usual upper end is 250. Tables of tests may be longer. */
const mostLines = { code: 400, test: 800 }

/** Every breach in one sentence; none when the files keep the rules. Rooms without any file are not looked at. */
export function breaches(files: readonly SourceFile[]): string[] {
  const sources = files.filter(({ path }) => path.endsWith('.ts'))
  const rooms = new Set(sources.flatMap(({ path }) => roomOf(path) ?? []))
  return [
    ...[...rooms].filter(room => rowOf(room) === undefined).map(room => `src/${room}: stands in no row`),
    ...[...rooms].flatMap(room => indexBreaches(room, sources)),
    ...files.flatMap(({ path }) => nameBreaches(path)),
    ...sources.flatMap(file => [...importBreaches(file), ...reservedBreaches(file), ...lengthBreaches(file)]),
  ]
}

/** The room of a path, undefined for what lies directly in src. */
export function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

function rowOf(room: string): number | undefined {
  const index = rows.findIndex(row => row.includes(room))
  return index < 0 ? undefined : index
}

function indexBreaches(room: string, files: readonly SourceFile[]): string[] {
  const path = `src/${room}/index.ts`
  const index = files.find(file => file.path === path)
  if (index === undefined) return [`${path}: the room has no door`]
  const comment = /^\/\*\*\n((?: \*.*\n)+?) \*\/\n/.exec(index.text)?.[1]
  if (comment === undefined) return [`${path}: does not open with a doc comment`]
  const lines = comment.split('\n').filter(line => line.replace(/^ \*/, '').trim() !== '')
  const breaches: string[] = []
  if (lines.length < 3 || lines.length > 8)
    breaches.push(`${path}: its opening comment has ${lines.length} lines, not 3 to 8`)
  if (!comment.startsWith(` * ${room}: `)) breaches.push(`${path}: its opening comment does not start with "${room}: "`)
  return breaches
}

function nameBreaches(path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const breaches: string[] = []
  if (emptyNames.test(path)) breaches.push(`${path}: the name says nothing about what is inside`)
  if (path.endsWith('.ts') && !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/.test(name)) {
    breaches.push(`${path}: the name is not in kebab-case`)
  }
  return breaches
}

const importPattern =
  /(?:^|[\s;}])(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** Module names that a text imports, statically or not, types included. */
export function importsOf(text: string): string[] {
  return [...withoutComments(text).matchAll(importPattern)].flatMap(match => match[1] ?? match[2] ?? [])
}

function importBreaches({ path, text }: SourceFile): string[] {
  const room = roomOf(path)
  return importsOf(text).flatMap(specifier => {
    if (specifier.startsWith('.')) return relativeBreaches(path, specifier)
    if (!specifier.startsWith('#')) return []
    const other = specifier.slice(1)
    const [from, to] = [room === undefined ? rows.length : (rowOf(room) ?? -1), rowOf(other)]
    if (to === undefined) return [`${path}: imports ${specifier}, which is no room's door`]
    if (other === room && path.endsWith('.test.ts')) return []
    if (other === room) return [`${path}: imports its own room through the door`]
    return to < from ? [] : [`${path}: imports #${other}, which stands in row ${to + 1}, not before its own`]
  })
}

function relativeBreaches(path: string, specifier: string): string[] {
  const target = new URL(specifier, `file:///${path}`).pathname.slice(1)
  const room = roomOf(path)
  // Tests may share what stands in test/.
  const isInside = roomOf(target) === room || (path.endsWith('.test.ts') && target.startsWith('test/'))
  const breaches = isInside ? [] : [`${path}: ${specifier} leaves the room`]
  if (!/\.(ts|json)$/.test(specifier)) breaches.push(`${path}: ${specifier} has no ending`)
  return breaches
}

/** What vanishes when types are stripped reaches nothing. */
const typeImport = /\b(?:import|export)\s+type\s[^'"]*from\s*['"][^'"]+['"]/g

function reservedBreaches({ path, text }: SourceFile): string[] {
  const room = roomOf(path)
  if (path.endsWith('.test.ts')) return []
  const code = withoutComments(text).replace(typeImport, '')
  return reserved
    .filter(rule => room === undefined || !rule.rooms.includes(room))
    .filter(rule => rule.pattern.test(code) && rule.exceptions?.[path] === undefined)
    .map(rule => `${path}: uses ${rule.what}, which only ${rule.rooms.join(', ')} may`)
}

function lengthBreaches({ path, text }: SourceFile): string[] {
  const lines = text.split('\n').length - 1
  const most = path.endsWith('.test.ts') ? mostLines.test : mostLines.code
  return lines > most ? [`${path}: ${lines} lines, the most is ${most}`] : []
}

/** Comments out, strings kept; enough for code that the formatter has laid out. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
}

/** Rooms in the table of docs/architecture.md: lines that start with a vertical bar and a name in backticks. */
export function roomsInTable(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `([a-z]+)` \|/gm)].flatMap(match => match[1] ?? [])
}
