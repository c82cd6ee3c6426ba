import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Analysis, ImageDiff } from '#analyze'
import { canSandbox } from './host.ts'
import { testBaseName } from './oracle/test-base.ts'
import { importTestBase, slipway, slipwayOk } from './slipway.ts'

const schemas = fileURLToPath(new URL('../docs/schemas/', import.meta.url))

let root = ''
let runs = false

/** Checks the JSON that a command wrote against its schema. */
function valid<T>(schema: string, json: string): T {
  const ajv = new Ajv2020({ allErrors: true })
  const value: unknown = JSON.parse(json)
  const isValid = ajv.validate(JSON.parse(readFileSync(join(schemas, `${schema}.json`), 'utf8')) as object, value)
  expect(ajv.errors ?? []).toEqual([])
  expect(isValid).toBe(true)
  return value as T
}

const json = async <T>(schema: string, ...args: string[]): Promise<T> =>
  valid<T>(schema, (await slipwayOk([...args, '--format', 'json'], { root })).stdout)

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
  ;({ runs } = await importTestBase(root))
  const context = join(root, 'context')
  mkdirSync(join(context, 'app/.git'), { recursive: true })
  writeFileSync(join(context, 'app/.git/pack'), 'g'.repeat(3000))
  writeFileSync(join(context, 'app/main'), 'm'.repeat(7000))
  writeFileSync(join(context, 'app/twin'), 'm'.repeat(7000))
  writeFileSync(join(context, 'other'), 'o'.repeat(500))
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM ${testBaseName}\n# a comment\nCOPY app \\\n  /app/\nCOPY other /app/main\n`,
  )
  await slipwayOk(['build', '-q', '-t', 'plain', context], { root, cwd: root })
  await slipwayOk(['build', '-q', '-t', 'alone', '-f', '-', context], {
    root,
    cwd: root,
    input: 'FROM scratch\nCOPY app /app/\nENV A=1\n',
  })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('lines of the Dockerfile, the base apart, causes with what to write', async () => {
  const { base, layers, totals, causes, image } = await json<Analysis>('analysis', 'analyze', 'plain')
  expect(base).toMatchObject({ source: 'build', layers: 1 })
  expect(image.dockerfile).toMatch(/Dockerfile$/)
  expect(
    layers.map(({ inBase, instruction, added, changed, hidden }) => [
      inBase,
      instruction.lines,
      added,
      changed,
      hidden,
    ]),
  ).toEqual([
    [true, undefined, layers[0]?.size, 0, 0],
    [false, { first: 3, last: 4 }, 17_000, 0, 7000],
    [false, { first: 5, last: 5 }, 0, 500, 0],
  ])
  expect(totals).toMatchObject({ waste: 7000, wasteInBase: { byBase: 0, byOwn: 0 } })
  const own = causes.filter(cause => !cause.inBase)
  expect(own.map(({ kind, saving, paths, by }) => [kind, saving, paths.map(({ path }) => path), by?.layer])).toEqual([
    ['replaced-later', 7000, ['app/main'], 2],
    ['version-control', 3000, ['app/.git/'], undefined],
  ])
  expect(own[0]?.rewrite.lines).toEqual(['COPY --exclude=**/main app /app/'])
  expect(own[1]?.rewrite).toMatchObject({ kind: 'dockerignore', lines: expect.arrayContaining(['**/.git']) as unknown })
})

test('equal files, without a base', async () => {
  const { duplicates, totals, base } = await json<Analysis>('analysis', 'analyze', 'alone')
  expect(base).toEqual({ source: 'build', layers: 0 })
  expect(duplicates).toMatchObject([{ size: 7000, extra: 7000, paths: ['app/main', 'app/twin'] }])
  expect(totals).toMatchObject({ size: 17_000, visible: 17_000, files: 3, waste: 0 })
})

test('the same from an archive, a layout and the store; lines are only known there', async () => {
  const [oci, docker, layout] = ['oci.tar', 'docker.tar', 'layout'].map(name => join(root, name))
  const args = [
    '-o',
    `type=oci,dest=${oci}`,
    '-o',
    `type=docker,dest=${docker}`,
    '-o',
    `type=oci,tar=false,dest=${layout}`,
  ]
  await slipwayOk(['build', '-q', '-t', 'plain', ...args, join(root, 'context')], { root, cwd: root })
  const elsewhere = join(root, 'elsewhere')
  mkdirSync(elsewhere)
  const { layers, totals, directories } = await json<Analysis>('analysis', 'analyze', 'plain')
  const numbers = (list: Analysis['layers']) =>
    list.map(({ size, added, hidden, diffId }) => [size, added, hidden, diffId])
  for (const name of [`oci-archive:${oci}`, `docker-archive:${docker}`, `oci-layout:${layout}`, oci ?? '']) {
    // A store of its own, which knows none of the layers.
    const { stdout } = await slipwayOk(['analyze', '--format', 'json', name], { root: elsewhere, cwd: root })
    const found = valid<Analysis>('analysis', stdout)
    expect(numbers(found.layers), name).toEqual(numbers(layers))
    expect(found.directories).toEqual(directories)
    expect(found.layers[1]?.instruction).toEqual({ keyword: 'COPY', text: 'COPY app /app/' })
    expect(found.totals.size).toBe(totals.size)
  }
})

test('limits end with exit code 1 and say which', async () => {
  const passed = await slipway(['analyze', '--fail-on', 'waste>7000', 'plain'], { root })
  expect(passed.code).toBe(0)
  const failed = await slipway(['analyze', '--fail-on', 'waste>6999', '--fail-on', 'layers>3', 'plain'], { root })
  expect(failed.code).toBe(1)
  expect(failed.stderr).toBe('--fail-on waste>6999: waste is 7kB\n')
  expect((await slipway(['analyze', '--fail-on', 'waist>1', 'plain'], { root })).code).toBe(2)
})

test('another base than the given one is refused', async () => {
  const { code, stderr } = await slipway(['analyze', '--base', 'alone', 'plain'], { root })
  expect(code).toBe(1)
  expect(stderr).toMatch(/not built from alone/)
})

test('a difference: settings, history, files; an exit code', async () => {
  const diff = await json<ImageDiff>('diff', 'diff', 'alone', 'plain')
  expect(diff.equal).toBe(false)
  expect(diff.config).toContainEqual({ field: 'Env A', before: '1' })
  expect(diff.files.filter(({ path }) => path.startsWith('app/'))).toMatchObject([
    {
      path: 'app/main',
      change: 'changed',
      attributes: expect.arrayContaining(['content']) as unknown,
      before: { size: 7000 },
      after: { size: 500 },
    },
  ])
  expect((await slipway(['diff', '--exit-code', 'alone', 'plain'], { root })).code).toBe(1)
  expect((await slipway(['diff', '--exit-code', 'plain', 'plain'], { root })).code).toBe(0)
  expect((await json<ImageDiff>('diff', 'diff', 'plain', 'plain')).equal).toBe(true)
})

describe('budget', () => {
  test('absolute limits, growth against stored figures, a report', async () => {
    const file = join(root, 'figures.json')
    await slipwayOk(['budget', 'alone', '--save', file], { root })
    expect((await slipway(['budget', 'alone', '--max', 'size=17kB', '--max', '/app=17kB'], { root })).code).toBe(0)
    const { code, stdout } = await slipway(
      [
        'budget',
        'plain',
        '--against',
        file,
        '--max',
        '/app=+0',
        '--max',
        'waste=+6999',
        '--max',
        'layer=17kB',
        '--format',
        'json',
        '--markdown',
        join(root, 'report.md'),
      ],
      { root },
    )
    expect(code).toBe(1)
    const { checks } = valid<{ checks: { what: string; value: number; most: number; before?: number; ok: boolean }[] }>(
      'budget',
      stdout,
    )
    expect(checks.map(({ what, value, most, before, ok }) => [what, value, most, before, ok])).toEqual([
      // 3000 + 500 + 7000 is less than 17000.
      ['/app', 10_500, 17_000, 17_000, true],
      ['waste', 7000, 6999, 0, false],
      ['layer COPY app /app/', 17_000, 17_000, 17_000, true],
      ['layer COPY other /app/main', 500, 17_000, undefined, true],
    ])
    expect(readFileSync(join(root, 'report.md'), 'utf8')).toMatch(/^### ❌ Image size: plain/)
  })

  test('growth needs something to grow from', async () => {
    expect((await slipway(['budget', 'plain', '--max', 'size=+1%'], { root })).code).toBe(2)
    writeFileSync(join(root, 'wrong.json'), '{"version":2}')
    const { stderr, code } = await slipway(['budget', 'plain', '--against', join(root, 'wrong.json')], { root })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/not what slipway budget --save writes/)])
  })
})

test('needs: a static program needs nothing else', async () => {
  const report = await json<{ needs: { path: string }[]; libc: string; copy: string[] }>(
    'needs',
    'needs',
    'plain',
    '/bin/busybox',
    '--from',
    'build',
  )
  expect(report.needs[0]).toMatchObject({ path: 'bin/busybox', kind: 'program' })
  expect(report.libc).toBe('static')
  expect(report.copy[0]).toBe('COPY --from=build /bin/busybox /bin/')
  expect((await slipway(['needs', 'plain', '/bin/none'], { root })).stderr).toMatch(/no file/)
  expect((await slipway(['needs', 'plain', '/bin/busybox', '--in', 'alone', '--exit-code'], { root })).code).toBe(1)
})

test.skipIf(!canSandbox)('RUN chown and RUN rm: by which line, and the rewrite', async () => {
  if (!runs) return
  const input = [
    `FROM ${testBaseName}`,
    'COPY app /app/',
    'RUN chown -R 1000:1000 /app',
    'RUN head -c 9000 /dev/zero >/big',
    'RUN rm /big',
  ].join('\n')
  await slipwayOk(['build', '-q', '-t', 'run', '-f', '-', join(root, 'context')], { root, cwd: root, input })
  const { causes, totals } = await json<Analysis>('analysis', 'analyze', 'run')
  expect(totals.waste).toBe(17_000 + 9000)
  expect(
    causes
      .filter(({ by, saving }) => by && saving > 0)
      .map(({ kind, saving, rewrite }) => [kind, saving, rewrite.lines]),
  ).toEqual([
    ['reowned-later', 17_000, ['COPY --chown=1000:1000 app /app/']],
    ['deleted-later', 9000, ['RUN head -c 9000 /dev/zero >/big \\', ' && rm /big']],
  ])
  // The files were not brought by who changed their owner.
  expect(causes.find(({ kind }) => kind === 'version-control')?.instruction.lines?.first).toBe(2)
})
