import type { Command } from 'commander'
import { type Act, addExamples, type Declare } from '../command-entry.ts'
import type { Reference } from '#oci'
import { choice } from '../options/choice.ts'
import { collect } from '../options/collect.ts'
import { type OutputOption, parseOutput } from '../options/output.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'
import { parseTag } from '../options/tag.ts'

export interface BaseBuildFlags extends RegistryFlags {
  readonly tag?: readonly Reference[]
  readonly output?: readonly OutputOption[]
  /** False for `--no-lock`. */
  readonly lock: boolean
  /** False for `--no-cache`. */
  readonly cache: boolean
  readonly sbom?: readonly string[]
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

export interface BaseLockFlags {
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

export interface BaseUpdateFlags {
  readonly write?: boolean
  readonly progress: ProgressMode
}

export const sbomFormats = ['spdx', 'cyclonedx'] as const
export type SbomFormat = (typeof sbomFormats)[number]

export interface BaseSbomFlags {
  readonly format: SbomFormat
  readonly output?: string
  readonly progress: ProgressMode
}

const fileArgument = ['<file>', 'description of the image, as YAML'] as const

/** `slipway base` and what is below it. */
export const base: Declare = (command, act) => {
  declareBuild(command, act)
  declareLock(command, act)
  declareUpdate(command, act)
  declareSbom(command, act)
  addExamples(command, [
    { command: 'slipway base build base.yaml -t base:bookworm', does: 'compose a base image' },
    { command: 'slipway base lock base.yaml', does: 'write down exactly what is in it' },
    { command: 'slipway base update base.yaml', does: 'see what is newer' },
  ])
}

function declareBuild(command: Command, act: Act): void {
  const build = command
    .command('build')
    .summary('make a base image as a file describes it')
    .description(
      'Makes a base image from Debian packages: dependencies solved, signatures and checksums verified.\n\n' +
        'The file is YAML: suite, packages, and optionally kind, architecture, mirror, users, files and more. Without a\n' +
        'mirror in the file, SLIPWAY_DEBIAN_MIRROR counts, else the apt configuration of this machine. Where a lock lies\n' +
        'beside the file (base.lock beside base.yaml), exactly its packages are taken.',
    )
    .argument(...fileArgument)
    .option(
      '-t, --tag <name>',
      'name the image NAME[:TAG] (repeatable)',
      collect(text => parseTag(text, '--tag')),
    )
    .option(
      '-o, --output <spec>',
      'write the image elsewhere, too: type=oci,dest=FILE and others, as build has them; several architectures become an index (repeatable)',
      collect(parseOutput),
    )
    .option('--no-lock', 'take the newest packages even where there is a lock')
    .option('--no-cache', 'compose anew, even what was composed before of the same packages and settings')
    .option(
      '--sbom <file>',
      'write a bill of materials: FILE.spdx.json or FILE.cdx.json (repeatable)',
      collect((text: string) => text),
    )
    .addOption(progressOption())
    .option('-q, --quiet', 'print only the image id')
    .action(
      act(async (context, file: string, flags: BaseBuildFlags) => {
        const { baseBuildCommand } = await import('../actions/base-build-command.ts')
        return baseBuildCommand(file, flags, context)
      }),
    )
  addRegistryOptions(build)
  addExamples(build, [
    { command: 'printf "suite: bookworm\\npackages: [gcc, make]\\n" > base.yaml', does: 'say what is in it' },
    { command: 'slipway base build base.yaml -t base:bookworm', does: 'compose a base image' },
  ])
}

function declareLock(command: Command, act: Act): void {
  const lock = command
    .command('lock')
    .summary('write exact versions and digests of a base into a lock')
    .description(
      'Solves the dependencies of a base file and writes the lock beside it: name, version, size and SHA-256 of every\n' +
        'package, and the dates of the suites. Builds then take exactly these packages, bit by bit the same image, and\n' +
        'without a network when the package cache has them.',
    )
    .argument(...fileArgument)
    .addOption(progressOption())
    .option('-q, --quiet', 'print nothing')
    .action(
      act(async (context, file: string, flags: BaseLockFlags) => {
        const { baseLockCommand } = await import('../actions/base-lock-command.ts')
        return baseLockCommand(file, flags, context)
      }),
    )
  addExamples(lock, [{ command: 'slipway base lock base.yaml', does: 'write base.lock' }])
}

function declareUpdate(command: Command, act: Act): void {
  const update = command
    .command('update')
    .summary('show what is newer than the lock of a base')
    .description(
      'Compares the lock of a base file with what the repositories have now: versions, sizes, and which changes come from\n' +
        'a suite of security updates. Nothing is changed without --write.',
    )
    .argument(...fileArgument)
    .option('--write', 'write the lock anew')
    .addOption(progressOption())
    .action(
      act(async (context, file: string, flags: BaseUpdateFlags) => {
        const { baseUpdateCommand } = await import('../actions/base-update-command.ts')
        return baseUpdateCommand(file, flags, context)
      }),
    )
  addExamples(update, [
    { command: 'slipway base update base.yaml', does: 'what would change' },
    { command: 'slipway base update --write base.yaml', does: 'take it' },
  ])
}

function declareSbom(command: Command, act: Act): void {
  const sbom = command
    .command('sbom')
    .summary('write a bill of materials of a base, without making it')
    .description(
      'Says which packages a base consists of, as SPDX 2.3 or CycloneDX 1.6 in JSON: those of the lock where there is one,\n' +
        'else those that the repositories have now.',
    )
    .argument(...fileArgument)
    .option('--format <format>', sbomFormats.join(' or '), choice('--format', sbomFormats), 'spdx')
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .addOption(progressOption())
    .action(
      act(async (context, file: string, flags: BaseSbomFlags) => {
        const { baseSbomCommand } = await import('../actions/base-sbom-command.ts')
        return baseSbomCommand(file, flags, context)
      }),
    )
  addExamples(sbom, [{ command: 'slipway base sbom base.yaml --format cyclonedx', does: 'what would be in it' }])
}
