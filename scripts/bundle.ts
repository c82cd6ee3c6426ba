// Second half of `npm run build`: puts the command line and every library entry of package.json into few files below
// dist. What stands behind an `import()` stays apart, what several need is a chunk of its own. Nothing has to be listed
// here: entries are what package.json exports, the command line, and files called `…-worker.ts`, which run on threads.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

interface Package {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  readonly dependencies: Readonly<Record<string, string>>
}

const repository = fileURLToPath(new URL('..', import.meta.url))
const description = readPackage(repository)

/** Packages that every command needs: to find, read and compile their files one by one would cost each start. */
const bundled = new Set(['commander', 'fast-string-truncated-width'])

function readPackage(directory: string): Package {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Package
}

function entries(): string[] {
  const exported = Object.values(description.exports).flatMap(target =>
    typeof target === 'string' ? [] : [target.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts')],
  )
  const workers = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('-worker.ts'))
    .map(path => join('src', path))
  return [...new Set([...exported, 'src/cli/main.ts', ...workers])]
}

/** JavaScript of an earlier build that this one did not write. Declarations are the compiler's. */
function removeStale(written: ReadonlySet<string>): void {
  const dist = join(repository, 'dist')
  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (/\.js(\.map)?$/.test(path) && !written.has(join('dist', path))) rmSync(join(dist, path))
  }
}

/** What the licences of the bundled packages ask for: their text beside the code. */
function notices(inputs: readonly string[]): string {
  const names = new Set(inputs.flatMap(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  const texts = [...names].sort().map(name => {
    const directory = join(repository, 'node_modules', name)
    const license = readdirSync(directory).find(file => /^licen[cs]e/i.test(file))
    if (license === undefined) throw new Error(`${name} has no licence text that could stand beside it`)
    const { version } = readPackage(directory)
    return `${name} ${version}\n\n${readFileSync(join(directory, license), 'utf8').trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

const { metafile } = await build({
  absWorkingDir: repository,
  entryPoints: entries(),
  outdir: 'dist',
  outbase: 'src',
  // As deep as the entries of rooms, so that `../../package.json` is the same file from everywhere.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  conditions: ['slipway-source'],
  external: Object.keys(description.dependencies).filter(name => !bundled.has(name)),
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
})
removeStale(new Set(Object.keys(metafile.outputs)))
writeFileSync(join(repository, 'dist/third-party-notices.txt'), notices(Object.keys(metafile.inputs)))
