import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { ExitCode, UserError } from '#diagnostics'
import { type FixInput, proposeFixes } from '#fix'
import type { FixFlags } from '../commands/fix.ts'
import type { CliContext } from '../context.ts'
import { fixJson, type FixOutcome, fixText } from '../fix/fix-texts.ts'
import { proveChain } from '../fix/prove-chain.ts'
import { enterNamespace } from '../namespace.ts'
import { unifiedDiff } from '../reports/unified-diff.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'

/** `slipway fix`. */
export async function fixCommand(path: string, flags: FixFlags, context: CliContext): Promise<number> {
  if ((flags.run !== undefined || flags.target !== undefined || flags.buildArg) && !flags.prove) {
    throw usageError('--run, --target and --build-arg are for --prove', 'add --prove')
  }
  if (flags.prove) {
    const inner = await enterNamespace(context, true)
    if (inner !== undefined) return inner
  }
  const found = findFiles(path, flags, context)
  const input: FixInput = {
    name: found.name,
    dockerfile: readFileSync(found.file, 'utf8'),
    ignore: existsSync(found.ignore) ? readFileSync(found.ignore, 'utf8') : '',
    hasFile: each => existsSync(join(found.directory, each)),
    otherTrees: flags.multiStage === true,
    without: new Set(),
  }
  const proven = flags.prove ? await proveChain(input, { directory: found.directory, flags, context }) : undefined
  const chain = proven?.chain ?? (await proposeFixes(input))
  const outcome: FixOutcome = {
    name: found.name,
    chain,
    dropped: proven?.dropped ?? [],
    diff:
      unifiedDiff(input.dockerfile, chain.dockerfile, found.name) +
      unifiedDiff(input.ignore, chain.ignore, relative(context.directory, found.ignore)),
    ...(proven && { proof: proven.proof }),
  }
  if (flags.write) {
    if (chain.dockerfile !== input.dockerfile) await writeFileWhole(found.file, chain.dockerfile, context)
    if (chain.ignore !== input.ignore) await writeFileWhole(found.ignore, chain.ignore, context)
  }
  context.stdout.write(flags.format === 'json' ? fixJson(outcome) : fixText(outcome))
  return ExitCode.ok
}

interface FixFiles {
  /** As a person would write it. */
  readonly name: string
  readonly file: string
  readonly ignore: string
  readonly directory: string
}

function findFiles(path: string, { context: given }: FixFlags, context: CliContext): FixFiles {
  const full = resolve(context.directory, path)
  const file = statSync(full, { throwIfNoEntry: false })?.isDirectory() ? join(full, 'Dockerfile') : full
  if (!existsSync(file))
    throw new UserError(`there is no Dockerfile at ${JSON.stringify(path)}`, { hint: 'name the file' })
  const directory = given === undefined ? dirname(file) : resolve(context.directory, given)
  const beside = `${file}.dockerignore`
  return {
    name: relative(context.directory, file).startsWith('..') ? file : relative(context.directory, file),
    file,
    ignore: existsSync(beside) ? beside : join(directory, '.dockerignore'),
    directory,
  }
}
