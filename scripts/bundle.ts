// Second half of `npm run build`: puts the command line and every library entry of package.json into few files below
// dist. What stands behind an `import()` stays apart. Nothing has to be listed here: entries are what package.json
// exports, the command line, and files called `…-worker.ts`, which run on threads. A program that imports the library
// and the command line do not share files: the one is there to be imported piece by piece, the other to start quickly.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InputOptions, type OutputChunk, type OutputOptions, rolldown, type RolldownOutput } from 'rolldown'
import { builtinModules } from './builtin-modules.ts'
import { rulesVersion } from './rules-version.ts'

interface Package {
  readonly version: string
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  readonly dependencies: Readonly<Record<string, string>>
}

const repository = fileURLToPath(new URL('..', import.meta.url))
const description = readPackage(repository)

/** Packages that every command needs: to find, read and compile their files one by one would cost each start. */
const bundled = new Set(['commander', 'fast-string-truncated-width'])

/** What the command that is typed most loads, one chunk whatever else shares parts of it: a file costs about 1 ms. */
const often = ['src/cli/commands/build.ts', 'src/cli/actions/build-command.ts']
/** What that shares with a command that only looks into the store; others find it there. */
const shared = ['src/cli/commands/images.ts', 'src/cli/actions/images-command.ts']
/** What a build loads besides when it makes a layer or an image that was not looked at before. */
const secrets = ['src/cli/build/find-secrets.ts']

function readPackage(directory: string): Package {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Package
}

/** What package.json exports. */
function libraryEntries(): string[] {
  return Object.values(description.exports).flatMap(target =>
    typeof target === 'string' ? [] : (/^\.\/dist\/(.*)\.js$/.exec(target.default)?.[1] ?? []),
  )
}

/** The command line, and what runs on its threads. */
function programEntries(): string[] {
  const files = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
  const workers = files.filter(path => path.endsWith('-worker.ts')).map(path => path.replace(/\.ts$/, ''))
  return ['cli/main', ...workers]
}

function inputs(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map(name => [name, join(repository, 'src', `${name}.ts`)]))
}

/** JavaScript of an earlier build that this one did not write. Declarations are the compiler's. */
function removeStale(written: ReadonlySet<string>): void {
  const dist = join(repository, 'dist')
  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (/\.js(\.map)?$/.test(path) && !written.has(path)) rmSync(join(dist, path))
  }
}

/** What the licences of the bundled packages ask for: their text beside the code. */
function notices(files: readonly string[]): string {
  const names = new Set(files.flatMap(path => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  const texts = [...names].sort().map(name => {
    const directory = join(repository, 'node_modules', name)
    const license = readdirSync(directory).find(file => /^licen[cs]e/i.test(file))
    if (license === undefined) throw new Error(`${name} has no licence text that could stand beside it`)
    const { version } = readPackage(directory)
    return `${name} ${version}\n\n${readFileSync(join(directory, license), 'utf8').trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

function chunksOf({ output }: RolldownOutput): OutputChunk[] {
  return output.filter(each => each.type === 'chunk')
}

/** The modules that are loaded before the code of `files` runs, after everything unused is gone. */
function loadedWith(result: RolldownOutput, files: readonly string[]): Set<string> {
  const chunks = new Map(chunksOf(result).map(chunk => [chunk.fileName, chunk]))
  const wanted = new Set(files.map(file => join(repository, file)))
  const loaded = new Set<string>()
  const visit = (chunk: OutputChunk): void => {
    if (loaded.has(chunk.fileName)) return
    loaded.add(chunk.fileName)
    for (const name of chunk.imports) {
      const next = chunks.get(name)
      if (next) visit(next)
    }
  }
  for (const chunk of chunks.values()) if (chunk.moduleIds.some(id => wanted.has(id))) visit(chunk)
  return new Set([...loaded].flatMap(name => chunks.get(name)?.moduleIds ?? []))
}

const common = {
  cwd: repository,
  platform: 'node',
  resolve: { conditionNames: ['slipway-source', 'node', 'import', 'default'] },
  transform: { target: 'node22.19' },
  // Rooms are imported by their doors, here and there only when needed.
  checks: { ineffectiveDynamicImport: false },
} as const satisfies InputOptions
const output = {
  dir: 'dist',
  format: 'es',
  sourcemap: true,
  comments: { jsdoc: false },
  entryFileNames: '[name].js',
} as const satisfies OutputOptions

function isDependency(id: string): boolean {
  return Object.keys(description.dependencies).some(name => `${id}/`.startsWith(`${name}/`))
}

/** Entries as they are: who imports one of them gets its exports, and loads what it needs. */
async function bundleLibrary(): Promise<RolldownOutput> {
  await using bundle = await rolldown({ ...common, input: inputs(libraryEntries()), external: isDependency })
  return await bundle.write({ ...output, chunkFileNames: 'chunks/[name]-[hash].js' })
}

/** What is loaded together is together. First bundled without groups, to see what is left when the unused is gone. */
async function bundleProgram(): Promise<RolldownOutput> {
  await using bundle = await rolldown({
    ...common,
    input: inputs(programEntries()),
    external: id => !bundled.has(id) && isDependency(id),
    plugins: [builtinModules(), rulesVersion(repository)],
    preserveEntrySignatures: 'allow-extension',
  })
  // As deep as the sources of rooms, so that `../../package.json` is the same file from everywhere.
  const options = { ...output, chunkFileNames: 'cli/[name]-[hash].js' }
  const loose = await bundle.generate(options)
  const start = loadedWith(loose, ['src/cli/main.ts'])
  const build = loadedWith(loose, often)
  const look = loadedWith(loose, shared)
  const scan = loadedWith(loose, secrets)
  return await bundle.write({
    ...options,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'start', test: id => start.has(id), priority: 3 },
        { name: 'store', test: id => build.has(id) && look.has(id), priority: 2 },
        { name: 'build', test: id => build.has(id), priority: 1 },
        { name: 'secrets', test: id => scan.has(id), priority: 0 },
      ],
    },
  })
}

/** The page of `slipway analyze --html`: style and script put into its template, so that it loads nothing. */
async function bundlePage(): Promise<RolldownOutput> {
  await using bundle = await rolldown({
    cwd: repository,
    platform: 'browser',
    input: join(repository, 'page/report.ts'),
    transform: { target: 'es2023' },
  })
  const result = await bundle.generate({ format: 'iife', minify: true })
  const read = (name: string): string => readFileSync(join(repository, 'page', name), 'utf8')
  const script = chunksOf(result)[0]?.code ?? ''
  if (script.includes('</script')) throw new Error('the script of the page would end its own element')
  const page = read('report.html')
    .replace('/*STYLE*/', () => read('report.css'))
    .replace('/*SCRIPT*/', () => script)
  writeFileSync(join(repository, 'dist/report-page.html'), page)
  return result
}

const results = [await bundleLibrary(), await bundleProgram()]
const page = await bundlePage()
removeStale(
  new Set(results.flatMap(({ output: files }) => files.flatMap(({ fileName }) => [fileName, `${fileName}.map`]))),
)
const modules = [...results, page].flatMap(chunksOf).flatMap(({ moduleIds }) => moduleIds)
writeFileSync(join(repository, 'dist/third-party-notices.txt'), notices(modules))
