// `npm run demo`: composes a base from Debian packages, builds examples/hello in one stage and in two, runs the result and
// compares. Everything goes through the command line, as a user would type it.
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'

const repository = fileURLToPath(new URL('..', import.meta.url))
const executable = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))
// The demo leaves nothing outside of the clone; a second run finds everything in the cache.
const env = { ...process.env, SLIPWAY_ROOT: process.env['SLIPWAY_ROOT'] ?? `${repository}.slipway` }

/** Shows a command, runs it in sight, and ends the demo where it fails. */
function show(...args: readonly string[]): void {
  process.stdout.write(`\n${styleText('bold', `$ slipway ${args.join(' ')}`)}\n`)
  const { status, signal } = spawnSync(process.execPath, [executable, ...args], {
    cwd: repository,
    env,
    stdio: 'inherit',
  })
  if (status !== 0) {
    process.stderr.write(`\nThe demo stops here (${signal ?? `exit code ${status}`}). "slipway doctor" may say why.\n`)
    process.exit(1)
  }
}

interface HistoryLine {
  readonly CreatedBy: string
  readonly SizeBytes: number
}

/** The history of an image, the oldest entry first. */
function history(image: string): HistoryLine[] {
  const args = [executable, 'history', '--no-trunc', '--format', 'json', image]
  const lines = execFileSync(process.execPath, args, { cwd: repository, env, encoding: 'utf8' })
  return lines
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as HistoryLine)
    .reverse()
}

function readable(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toPrecision(3)} ${units[power]}`
}

/** Two histories side by side, with what each instruction added and the sum below. */
function compare(left: string, right: string): void {
  const [a, b] = [column(left), column(right)]
  const rows = Math.max(a.rows.length, b.rows.length)
  const line = (l = '', r = ''): string => `  ${l.padEnd(58)}  ${r}`.trimEnd()
  const lines = [
    line(styledHead(left), styleText('bold', right)),
    ...Array.from({ length: rows }, (_, i) => line(a.rows[i], b.rows[i])),
    line(`${'─'.repeat(9)}`, `${'─'.repeat(9)}`),
    line(readable(a.total).padStart(9), readable(b.total).padStart(9)),
  ]
  process.stdout.write(
    `\n${lines.join('\n')}\n\n  ${left} is ${Math.round(a.total / b.total)} times as large as ${right}.\n`,
  )
}

/** `padEnd` counts the invisible characters of a style; so the first head is padded before it is styled. */
function styledHead(text: string): string {
  return `${styleText('bold', text)}${' '.repeat(58 - text.length)}`
}

function column(image: string): { rows: string[]; total: number } {
  const entries = history(image)
  const text = (entry: HistoryLine): string =>
    entry.CreatedBy.replace(/ # buildkit$/, '').replace('RUN /bin/sh -c ', 'RUN ')
  const cut = (line: string): string => (line.length > 46 ? `${line.slice(0, 45)}…` : line)
  return {
    rows: entries.map(entry => `${readable(entry.SizeBytes).padStart(9)}  ${cut(text(entry))}`),
    total: entries.reduce((sum, entry) => sum + entry.SizeBytes, 0),
  }
}

show('base', 'build', 'examples/hello/base.yaml', '-t', 'slipway/builder:bookworm')
show('build', '-t', 'hello:single', '-f', 'examples/hello/Dockerfile.single', 'examples/hello')
show('build', '-t', 'hello:multi', 'examples/hello')
show('run', '--rm', 'hello:multi')
show('history', 'hello:single')
show('history', 'hello:multi')
show('images', 'hello')
compare('hello:single', 'hello:multi')
