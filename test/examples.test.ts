import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { leftovers } from './slipway.ts'

// The two smallest examples, from package mirror to answered requests; `npm run examples` does all of them.

const scratch = mkdtempSync(join(tmpdir(), 'slipway-examples-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Addresses that may serve Debian: what `slipway base` would ask. */
function mirrors(): readonly string[] {
  const given = process.env['SLIPWAY_DEBIAN_MIRROR']
  if (given) return [given]
  const files = ['/etc/apt/sources.list', ...listing('/etc/apt/sources.list.d')]
  return files.flatMap(file =>
    [...read(file).matchAll(/^(?:deb .*?|URIs: *)(https?:\/\/\S+)/gm)].map(([, uri = '']) => uri),
  )
}

function listing(directory: string): string[] {
  try {
    return readdirSync(directory).map(name => join(directory, name))
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

async function serves(mirror: string): Promise<boolean> {
  const url = `${mirror.replace(/\/+$/, '')}/dists/bookworm/InRelease`
  const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
  return response?.ok === true
}

/** Whether one of them does; as soon as the first one says so. */
function someServes(uris: readonly string[]): Promise<boolean> {
  const answers = uris.map(async uri => (await serves(uri)) || Promise.reject(new Error(uri)))
  return Promise.any(answers).then(
    () => true,
    () => false,
  )
}

// Repositories of others need not be asked.
const reachable = await someServes(
  mirrors().filter(uri => /debian|ubuntu/.test(uri) || uri === process.env['SLIPWAY_DEBIAN_MIRROR']),
)
const reason = canSandbox ? (reachable ? '' : ' (skipped: no mirror of Debian bookworm)') : ' (skipped: needs root)'

interface Row {
  readonly example: string
  readonly variant: string
  readonly size: number
  readonly smaller?: number
  readonly met?: boolean
}

test.skipIf(reason !== '')(
  `a Go service and Debian's packages come out small, and work${reason}`,
  async () => {
    const script = fileURLToPath(new URL('../scripts/examples.ts', import.meta.url))
    const args = [script, '--json', '--no-compressed', '--root', join(scratch, 'state'), 'go-web', 'apt:minimal-base']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, log] = [[] as Buffer[], [] as Buffer[]]
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => log.push(chunk))
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    expect(code, Buffer.concat(log).toString()).toBe(0)

    const rows = JSON.parse(Buffer.concat(out).toString()) as readonly Row[]
    expect(rows.map(({ example, variant, met }) => ({ name: `${example}:${variant}`, met }))).toEqual([
      { name: 'go-web:single', met: undefined },
      { name: 'go-web:minimal', met: true },
      { name: 'go-web:scratch', met: true },
      { name: 'apt:separate', met: undefined },
      { name: 'apt:minimal-base', met: true },
    ])
    // What the goals are is for the examples to say; these are the promises.
    const smaller = (name: string): number | undefined =>
      rows.find(row => `${row.example}:${row.variant}` === name)?.smaller
    expect(smaller('go-web:scratch')).toBeGreaterThan(90)
    expect(smaller('apt:minimal-base')).toBeGreaterThan(50)
    expect(leftovers(scratch)).toEqual({ mounts: [], processes: [], temporaries: [] })
  },
  900_000,
)
