import type { Platform } from '#oci'
import { addExamples, type Declare } from '../command-entry.ts'
import { collectPlatforms } from '../options/platforms.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

export interface PullFlags extends RegistryFlags {
  readonly platform?: readonly Platform[]
  readonly allTags?: boolean
  readonly quiet?: boolean
  readonly progress: ProgressMode
}

/** Options of `slipway pull`. */
export const pull: Declare = (command, act) => {
  command
    .argument('<images...>', 'names of images: [HOST[:PORT]/]NAME[:TAG][@DIGEST]')
    .option(
      '--platform <os/arch>',
      'the image for this platform, or for several (default: that of this machine; repeatable)',
      collectPlatforms,
    )
    .option('-a, --all-tags', 'every tag of the repositories that are named')
    .addOption(progressOption())
    .option('-q, --quiet', 'print only the names')
    .action(
      act(async (context, images: readonly string[], flags: PullFlags) => {
        const { pullCommand } = await import('../actions/pull-command.ts')
        return pullCommand(images, flags, context)
      }),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway pull debian:bookworm', does: 'bring an image with all its layers into the local store' },
    { command: 'slipway pull --platform linux/arm64 localhost:5000/app', does: 'the one for another platform' },
    { command: 'slipway pull --all-tags localhost:5000/app', does: 'every tag of the repository' },
  ])
}
