import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

// The package as somebody who installed it sees it: only what npm would pack, no source condition.
const repository = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'slipway-package-'))
const installed = join(scratch, 'node_modules/slipway')

interface Description {
  readonly files: readonly string[]
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const description = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Description

beforeAll(() => {
  mkdirSync(installed, { recursive: true })
  for (const file of [...description.files, 'package.json', 'node_modules']) {
    if (existsSync(join(repository, file))) symlinkSync(join(repository, file), join(installed, file))
  }
  symlinkSync(join(repository, 'node_modules/@types'), join(scratch, 'node_modules/@types'))
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}')
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function nodeRun(code: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: scratch,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
}

test('every entry has its file and its types, and can be imported', () => {
  const specifiers: string[] = []
  for (const [name, target] of Object.entries(description.exports)) {
    const files = typeof target === 'string' ? [target] : [target.types, target.default]
    for (const file of files) expect(existsSync(join(repository, file)), `${name}: ${file}`).toBe(true)
    if (typeof target !== 'string') specifiers.push(name.replace(/^\./, 'slipway'))
  }
  const counts = JSON.parse(
    nodeRun(
      `const names = ${JSON.stringify(specifiers)}
       const all = await Promise.all(names.map(name => import(name)))
       console.log(JSON.stringify(all.map(each => Object.keys(each).length)))`,
    ),
  ) as number[]
  expect(specifiers).toContain('slipway')
  for (const [i, name] of specifiers.entries()) expect(counts[i], name).toBeGreaterThan(0)
  for (const file of Object.values(description.bin)) expect(existsSync(join(repository, file))).toBe(true)
})

const program = `
import { mkdirSync, writeFileSync } from 'node:fs'
import {
  buildImage, findHostTools, openHttp, openLocalContext, openRemote, openStore, parseDockerfile, planBuild,
  type BuiltImage, type ProgressEvent, storeResolver, UserError,
} from 'slipway'
import { parseReference } from 'slipway/oci'

export async function build(text: string): Promise<{ readonly image: BuiltImage; readonly cached: readonly boolean[] }> {
  mkdirSync('context', { recursive: true })
  writeFileSync('context/hello.txt', 'hello\\n')
  using store = openStore('store')
  const signal = new AbortController().signal
  await using http = openHttp({ env: {} })
  const plan = await planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    resolveImage: storeResolver(store),
  })
  const context = openLocalContext(store, 'context')
  const cached: boolean[] = []
  let id = 0
  const image = await buildImage({
    store,
    plan,
    context: () => context,
    namedContexts: new Map(),
    remote: openRemote({ store, http, secret: async () => undefined, environment: {}, signal }),
    secrets: new Map(),
    noCache: false,
    host: () => findHostTools('/usr/bin:/bin'),
    progress: (event: ProgressEvent) => {
      if (event.kind === 'done') cached.push(event.cached)
    },
    warn: () => {},
    nextId: () => id++,
    signal,
    now: Date.now,
  })
  store.images.tag(parseReference('from-a-program'), image.id)
  return { image, cached }
}

const text = 'FROM scratch\\nCOPY hello.txt /a/\\nLABEL made=here\\n'
const first = await build(text)
const second = await build(text)
let mistake = ''
try {
  await build('FROM scratch\\nCOPY hallo.txt /\\n')
} catch (error) {
  if (error instanceof UserError) mistake = error.message
}
console.log(JSON.stringify({
  same: first.image.id === second.image.id,
  cached: [first.cached, second.cached],
  config: JSON.parse(Buffer.from(first.image.config).toString()),
  mistake,
}))
`

test('a program builds an image with it, and its types fit', () => {
  writeFileSync(join(scratch, 'program.ts'), program)
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  const options = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--noEmit']
  const compiled = spawnSync(
    process.execPath,
    [compiler, ...options, '--module', 'nodenext', '--target', 'esnext', '--types', 'node', 'program.ts'],
    { cwd: scratch, encoding: 'utf8' },
  )
  expect(compiled.stdout).toBe('')
  expect(compiled.status).toBe(0)
  const result = JSON.parse(nodeRun(`await import('./program.ts')`)) as {
    same: boolean
    cached: boolean[][]
    config: { config: { Labels: unknown }; rootfs: { diff_ids: string[] } }
    mistake: string
  }
  expect(result.same).toBe(true)
  expect(result.cached).toEqual([
    [true, false],
    [true, true],
  ])
  expect(result.config.config.Labels).toEqual({ made: 'here' })
  expect(result.config.rootfs.diff_ids).toHaveLength(1)
  expect(result.mistake).toBe('"/hallo.txt" not found in the build context')
})

test('what every build loads holds nothing of the rooms that a cached one does without', () => {
  const folder = join(repository, 'dist/cli')
  const sourcesOf = (file: string): string[] => {
    const map = join(folder, `${file}.map`)
    return existsSync(map) ? (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources : []
  }
  const files = readdirSync(folder).filter(name => name.endsWith('.js'))
  const loaded = new Set(files.filter(file => sourcesOf(file).some(path => path.endsWith('/actions/build-command.ts'))))
  // Iterating goes on with what is added meanwhile.
  for (const file of loaded) {
    const code = readFileSync(join(folder, file), 'utf8')
    for (const [, name] of code.matchAll(/^import .*"\.\/([\w-]+\.js)";$/gm)) if (name) loaded.add(name)
  }
  const sources = [...loaded].flatMap(sourcesOf)
  expect(sources.filter(path => path.includes('src/plan/'))).not.toEqual([])
  const rooms = ['secrets', 'scan', 'registry', 'analyze', 'debian', 'fix']
  const heavy = sources.filter(path => rooms.some(room => path.includes(`src/${room}/`)))
  expect(heavy.filter(path => !path.endsWith('/rules-version.ts'))).toEqual([])
})
