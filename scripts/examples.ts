// `npm run examples [-- NAME…]`: builds the examples from nothing but the package mirror, runs their smoke tests and prints how large
// the images are. Everything goes through the command line, as a user would type it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type CommandLine, openCommandLine } from './examples/command-line.ts'
import { measureImages } from './examples/measure-images.ts'
import { type Example, readExamples, type Variant } from './examples/read-examples.ts'
import { markdownPage } from './examples/markdown-page.ts'
import { type Row, rowsOf, textTable } from './examples/size-table.ts'
import { takePicture } from './examples/take-picture.ts'
import { checkReports, writePages, writeReport } from './examples/write-reports.ts'

const usage = `usage: npm run examples -- [options] [EXAMPLE[:VARIANT]…]

  --json            the table as JSON, on standard output
  --write FILE      write the table as a Markdown page (docs/examples.md is made so)
  --reports DIR     write a report of each example here, as Markdown (docs/examples/ is made so)
  --html DIR        write the page of \`slipway analyze --html\` for each image here
  --picture IMAGE=FILE
                    take a picture of that page of one image (docs/images/analyze.png is that of apt:later-rm)
  --root DIR        build in this state directory and keep it (default: a temporary one)
  --packages DIR    keep downloaded packages here (default: SLIPWAY_PACKAGE_CACHE, else in the state directory)
  --no-compressed   do not find out the compressed sizes, which takes most of the time of a repeated run
  --no-smoke        do not run the images
`

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'string' },
    reports: { type: 'string' },
    html: { type: 'string' },
    picture: { type: 'string' },
    root: { type: 'string' },
    packages: { type: 'string' },
    compressed: { type: 'boolean', default: true },
    smoke: { type: 'boolean', default: true },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function main(): Promise<void> {
  if (flags.help) {
    process.stdout.write(usage)
    return
  }
  const examples = readExamples(fileURLToPath(new URL('../examples', import.meta.url)), positionals)
  const root = flags.root === undefined ? mkdtempSync(join(tmpdir(), 'slipway-examples-')) : resolve(flags.root)
  mkdirSync(root, { recursive: true })
  const remove = (): void => {
    if (flags.root === undefined) rmSync(root, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => (stopped = true))
  try {
    const slipway = openCommandLine({
      SLIPWAY_ROOT: root,
      ...(flags.packages !== undefined && { SLIPWAY_PACKAGE_CACHE: resolve(flags.packages) }),
    })
    const rows: Row[] = []
    for (const example of examples) rows.push(...(await runExample(example, slipway, root)))
    if (flags.reports !== undefined) await checkReports(slipway, flags.reports)
    const [image = '', file] = flags.picture?.split('=') ?? []
    if (file !== undefined) await takePicture(image, resolve(file), slipway)
    report(rows, examples)
  } finally {
    remove()
  }
}

let stopped = false

/** Builds the bases and all variants of an example, runs each, and measures. */
async function runExample(example: Example, slipway: CommandLine, root: string): Promise<readonly Row[]> {
  const { name, directory, bases, variants, script } = example
  const step = async (work: () => Promise<void>): Promise<void> => {
    if (stopped) throw new Error('stopped')
    await work()
  }
  for (const { file, tag } of bases) await step(() => slipway.show(['base', 'build', file, '-t', tag], directory))
  for (const variant of variants) await step(() => slipway.show(commandFor(variant), directory))
  if (script !== undefined) await step(() => slipway.script(script, [], directory))
  if (flags.smoke) {
    for (const variant of variants) {
      await step(() => slipway.script('smoke.ts', [variant.tag, variant.name], directory))
    }
  }
  if (flags.reports !== undefined) await writeReport(example, slipway, flags.reports)
  if (flags.html !== undefined) await writePages(example, slipway, flags.html)
  if (variants.length === 0) return []
  const tags = variants.map(({ tag }) => tag)
  const sizes = await measureImages(tags, { slipway, scratch: root, compress: flags.compressed })
  return rowsOf(name, variants, sizes)
}

/** Arguments of the command that makes an image. */
function commandFor({ tag, base, file, target, options }: Variant): readonly string[] {
  if (base !== undefined) return ['base', 'build', base, '-t', tag]
  return ['build', '-t', tag, '-f', file, ...(target === undefined ? [] : ['--target', target]), ...options, '.']
}

function report(rows: readonly Row[], examples: readonly Example[]): void {
  if (flags.write !== undefined) writeFileSync(flags.write, markdownPage(rows, examples))
  process.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 2)}\n` : `\n${textTable(rows)}`)
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
