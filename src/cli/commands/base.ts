import { addExamples, type Declare } from '../command-entry.ts'
import type { Reference } from '#oci'
import { collect } from '../options/collect.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'
import { parseTag } from '../options/tag.ts'

export interface BaseBuildFlags {
  readonly tag?: readonly Reference[]
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

/** Options of `slipway base` and `slipway base build`. */
export const base: Declare = (command, act) => {
  const build = command
    .command('build')
    .summary('make a base image as a file describes it')
    .description(
      'Makes a base image from Debian packages: dependencies solved, signatures and checksums verified.\n\n' +
        'The file is YAML: suite, packages, and optionally architecture, mirror, keyring and more. Without a mirror in\n' +
        'the file, SLIPWAY_DEBIAN_MIRROR counts, else the apt configuration of this machine. Downloaded packages are kept\n' +
        'in the store, or in SLIPWAY_PACKAGE_CACHE, which several stores may share.',
    )
    .argument('<file>', 'description of the image, as YAML')
    .option(
      '-t, --tag <name>',
      'name the image NAME[:TAG] (repeatable)',
      collect(text => parseTag(text, '--tag')),
    )
    .addOption(progressOption())
    .option('-q, --quiet', 'print only the image id')
    .action(
      act(async (context, file: string, flags: BaseBuildFlags) => {
        const { baseBuildCommand } = await import('../actions/base-build-command.ts')
        return baseBuildCommand(file, flags, context)
      }),
    )
  const examples = [{ command: 'slipway base build base.yaml -t base:bookworm', does: 'compose a base image' }]
  addExamples(command, examples)
  addExamples(build, [
    { command: 'printf "suite: bookworm\\npackages: [gcc, make]\\n" > base.yaml', does: 'say what is in it' },
    ...examples,
  ])
}
