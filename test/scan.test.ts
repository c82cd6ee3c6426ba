import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nearMisses } from './planted/near-misses.ts'
import { tarOf, zipOf } from './planted/pack-archive.ts'
import { type Planted, plantedSecrets } from './planted/planted-secrets.ts'
import { randomValues } from './planted/random-values.ts'
import { slipway, slipwayOk } from './slipway.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Finding {
  readonly rule: string
  readonly severity: string
  readonly place: {
    readonly kind: string
    readonly path?: string
    readonly member?: string
    readonly line?: number
    readonly name?: string
    readonly field?: string
    readonly entry?: number
    readonly layer?: number
    readonly hiddenBy?: number
  }
  readonly masked: string
}

const secrets = plantedSecrets(randomValues(20_260_101))
const misses = nearMisses(randomValues(31_337))

/** The path of a planted file, and of the member inside it. */
function split(at: string): { readonly path: string; readonly member?: string } {
  const [path = '', member] = at.split('!')
  return { path, ...(member !== undefined && { member }) }
}

const isFile = ({ at }: Planted): boolean => !/^(?:env|label|arg|cmd):/.test(at)

function fileBytes({ at, text, binary }: Planted): Buffer {
  const { path, member } = split(at)
  const bytes = Buffer.from(text)
  if (binary) return Buffer.concat([Buffer.from('\u007fELF'), Buffer.alloc(3000), bytes, Buffer.alloc(3000)])
  if (member === undefined) return bytes
  if (member === '') return gzipSync(bytes)
  if (/\.(?:zip|jar|whl)$/.test(path)) return zipOf(member, bytes)
  return gzipSync(tarOf(member, bytes))
}

function buildContext(directory: string, planted: readonly Planted[]): void {
  const put = (path: string, bytes: Buffer): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), bytes)
  }
  for (const [i, each] of planted.filter(isFile).entries())
    put(`${i % 2 === 0 ? 'one' : 'two'}/${split(each.at).path}`, fileBytes(each))
  const quoted = (text: string): string => JSON.stringify(text).replaceAll('$', '\\$')
  const lines = planted.flatMap(({ at, text }) => {
    const [kind, name] = at.split(/:(.*)/s) as [string, string]
    if (kind === 'env') return [`ENV ${name}=${quoted(text)}`]
    if (kind === 'label') return [`LABEL ${name}=${quoted(text)}`]
    if (kind === 'arg') return [`ARG ${name}=${text}`]
    return kind === 'cmd' ? [`CMD ["serve", "--key", ${quoted(text)}]`] : []
  })
  // The second layer's files replace nothing; the third one hides some of the first.
  put('three/app/.env', Buffer.from('PORT=80\n'))
  const file = ['FROM scratch', 'COPY one /', 'COPY two /', 'COPY three /', ...lines, '']
  writeFileSync(join(directory, 'Dockerfile'), file.join('\n'))
}

/** Whether a finding is about a planted thing, at the right line. */
function isAbout({ place }: Finding, { at, line = 1, binary }: Planted): boolean {
  const [kind, name] = at.split(/:(.*)/s) as [string, string | undefined]
  if (kind === 'env' || kind === 'label') return place.kind === kind && place.name === name
  if (kind === 'cmd') return place.kind === 'config' && place.field === 'Cmd'
  if (kind === 'arg') return place.kind === 'history'
  const { path, member } = split(at)
  return place.path === path && place.member === member && (binary === true || place.line === line)
}

async function scanned(name: string, planted: readonly Planted[]): Promise<readonly Finding[]> {
  const directory = join(root, name)
  mkdirSync(directory)
  buildContext(directory, planted)
  await slipwayOk(['build', '-q', '-t', name, directory], { root })
  const { stdout } = await slipwayOk(['scan', '--format', 'json', '--fail-on', 'never', name], { root })
  return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings
}

test('recall and precision over planted secrets and near misses', { timeout: 120_000 }, async () => {
  expect(secrets.length).toBeGreaterThanOrEqual(100)
  expect(misses.length).toBeGreaterThanOrEqual(100)
  const found = await scanned('planted', secrets)
  const missed = secrets.filter(secret => !found.some(finding => isAbout(finding, secret)))
  const stray = found.filter(
    finding => finding.place.kind !== 'history' && !secrets.some(secret => isAbout(finding, secret)),
  )
  const wrong = await scanned('near', misses)
  const hits = secrets.length - missed.length
  const alarms = stray.length + wrong.length
  const [recall, precision] = [hits / secrets.length, hits / (hits + alarms)]
  console.log(
    `secrets: ${secrets.length} planted, ${hits} found (recall ${(100 * recall).toFixed(1)} %); ` +
      `${misses.length} near misses, ${alarms} false alarms (precision ${(100 * precision).toFixed(1)} %)`,
  )
  const report = [
    ...missed.map(({ about, at }) => `missed: ${about} at ${at}`),
    ...[...stray, ...wrong].map(
      ({ rule, place, masked }) => `false alarm: ${rule} at ${JSON.stringify(place)} ${masked}`,
    ),
  ].join('\n')
  expect(recall, report).toBeGreaterThanOrEqual(0.98)
  expect(precision, report).toBeGreaterThanOrEqual(0.95)
  if (report !== '') console.log(report)
})

test('no value is shown: not in text, JSON or SARIF', async () => {
  const values = secrets
    .filter(each => isFile(each) && !each.text.includes('-----'))
    .map(({ text }) =>
      text
        .trim()
        .split(/["'\s=]+/)
        .filter(word => word.length > 24),
    )
  for (const format of ['text', 'json', 'sarif']) {
    const { stdout } = await slipwayOk(['scan', '--format', format, '--fail-on', 'never', 'planted'], { root })
    for (const value of values.flat()) expect(stdout.includes(value), `${format}: ${value.slice(0, 8)}`).toBe(false)
  }
})

test('a file that a later layer replaces is found, with both layers', async () => {
  const { stdout } = await slipwayOk(['scan', '--format', 'json', '--fail-on', 'never', 'planted'], { root })
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] }
  const hidden = findings.find(({ place }) => place.path === 'app/.env')
  expect(hidden?.place).toMatchObject({ hiddenBy: 2, line: 2 })
  expect(findings.find(({ place }) => place.path === 'root/.npmrc')?.place.hiddenBy).toBeUndefined()
})

test('exit codes, a baseline, a comment that allows, a directory, a Dockerfile from outside', async () => {
  const directory = join(root, 'tree')
  mkdirSync(directory)
  const r = randomValues(7)
  const token = `gh${'p_'}${r.base62(36)}`
  writeFileSync(join(directory, 'a.sh'), `echo\nexport X=${token}\n`)
  writeFileSync(join(directory, 'b.sh'), `export X=${token} # slipway:allow a test\n`)
  const first = await slipway(['scan', 'tree'], { root })
  expect(first.code).toBe(1)
  expect(first.stdout).toContain('GitHub token')
  expect(first.stdout).toContain('a.sh:2:10')
  expect(first.stdout).not.toContain('b.sh')
  expect((await slipway(['scan', '--fail-on', 'never', 'tree'], { root })).code).toBe(0)
  await slipwayOk(['scan', 'tree', '--write-baseline', 'known.json'], { root })
  expect(readFileSync(join(root, 'known.json'), 'utf8')).not.toContain(token)
  expect((await slipwayOk(['scan', 'tree', '--baseline', 'known.json'], { root })).stdout).toContain(
    '1 more in the baseline',
  )
  writeFileSync(join(directory, 'a.sh'), `echo\nexport X=gh${'p_'}${r.base62(36)}\n`)
  expect((await slipway(['scan', 'tree', '--baseline', 'known.json'], { root })).code).toBe(1)
  writeFileSync(
    join(root, 'rules.json'),
    JSON.stringify({ version: 1, allow: [{ path: '*.sh', rule: 'github-token' }] }),
  )
  await slipwayOk(['scan', 'tree', '--baseline', 'rules.json'], { root })
  writeFileSync(join(directory, 'Dockerfile'), `FROM scratch\nENV DB_PASSWORD=${r.base62(16)}\n`)
  expect((await slipway(['scan', 'tree/Dockerfile'], { root })).stdout).toContain('Dockerfile:2:17')
  const absent = await slipway(['scan', 'no-such-thing'], { root })
  expect(absent.code).toBe(1)
  expect(absent.stderr).toContain('neither an image nor a file')
})

test('an archive on the disk and SARIF', async () => {
  await slipwayOk(['save', '-o', 'planted.tar', 'planted'], { root })
  const json = async (target: string): Promise<number> => {
    const { stdout } = await slipwayOk(['scan', '--format', 'json', '--fail-on', 'never', target], { root })
    return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings.length
  }
  expect(await json('planted.tar')).toBe(await json('planted'))
  const { stdout } = await slipwayOk(['scan', '--format', 'sarif', '--fail-on', 'never', 'planted'], { root })
  const log = JSON.parse(stdout) as {
    version: string
    runs: {
      tool: { driver: { name: string; rules: { id: string }[] } }
      results: { ruleId: string; ruleIndex: number; level: string; message: { text: string } }[]
    }[]
  }
  expect(log.version).toBe('2.1.0')
  const [run] = log.runs
  for (const { ruleId, ruleIndex, level, message } of run?.results ?? []) {
    expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    expect(['error', 'warning', 'note']).toContain(level)
    expect(message.text).not.toBe('')
  }
})

test('a push looks first, and --secrets=error pushes nothing', async () => {
  // A registry that lets nobody in: a refusal ends a push at once.
  const registry = createServer((_, response) => response.writeHead(403).end())
  await new Promise<void>(resolve => registry.listen(0, '127.0.0.1', resolve))
  const name = `127.0.0.1:${(registry.address() as AddressInfo).port}/planted`
  try {
    await slipwayOk(['tag', 'planted', name], { root })
    const stopped = await slipway(['push', '--secrets=error', name], { root })
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toMatch(/the image holds \d+ secrets, so it is not pushed/)
    const warned = await slipway(['push', name], { root })
    expect(warned.stderr).toMatch(/warning: the image holds \d+ secrets/)
    expect((await slipway(['push', '--secrets=off', name], { root })).stderr).not.toContain('secrets')
  } finally {
    registry.close()
  }
})

test('a build warns with the line and without the value; --secrets=error writes and names nothing', async () => {
  const r = randomValues(21)
  const values = [`gh${'p_'}${r.base62(36)}`, `np${'m_'}${r.base62(36)}`, `sk_${'live_'}${r.base62(24)}`] as const
  const directory = join(root, 'warned')
  mkdirSync(join(directory, 'app'), { recursive: true })
  writeFileSync(join(directory, 'app/.npmrc'), `//registry.example.org/:_authToken=${values[1]}\n`)
  writeFileSync(
    join(directory, 'Dockerfile'),
    [
      'FROM scratch AS other',
      'COPY app /only-in-another-stage',
      'FROM scratch',
      `LABEL a=b token=${values[0]}`,
      'COPY --from=other /only-in-another-stage/.npmrc /x/',
      `COPY <<EOF /etc/pay.env\nA=1\nKEY=${values[2]}\nEOF`,
      '',
    ].join('\n'),
  )
  const refused = await slipway(['build', '--secrets=error', '-t', 'warned', '-o', 'warned.tar', directory], { root })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('the image holds 3 secrets, so nothing is written or named')
  expect(existsSync(join(root, 'warned.tar'))).toBe(false)
  expect((await slipway(['inspect', 'warned'], { root })).code).toBe(1)
  // All layers are there by now, so what stops this build is not found while they are made.
  const again = await slipway(['build', '--secrets=error', directory], { root })
  expect(again.code).toBe(1)
  expect(again.stderr).toContain('npm access token in /x/.npmrc')
  const warned = await slipwayOk(['build', '--no-cache', directory], { root })
  expect(warned.stderr).toMatch(/GitHub token in the label token.*\n *--> \S*Dockerfile:4:11/)
  expect(warned.stderr).toMatch(/npm access token in \/x\/\.npmrc, line 1.*\n *--> \S*Dockerfile:5:1/)
  expect(warned.stderr).toMatch(/Stripe secret key in \/etc\/pay\.env, line 2.*\n *--> \S*Dockerfile:6:1/)
  expect(warned.stderr).not.toContain('only-in-another-stage/.npmrc,')
  for (const text of [refused.stderr, again.stderr, warned.stderr])
    for (const value of values) expect(text).not.toContain(value.slice(12))
  const silent = await slipwayOk(['build', '--no-cache', '--secrets=off', directory], { root })
  expect(silent.stderr).not.toMatch(/secret|token in/i)
})
