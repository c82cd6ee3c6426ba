import type { Platform } from '#oci'
import { addExamples, type Declare } from '../command-entry.ts'
import { choice } from '../options/choice.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'
import { addCompressionOptions, type CompressionFlags } from '../options/compression.ts'
import { collectPlatforms } from '../options/platforms.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'
import type { SecretsMode } from '../scan/check-secrets.ts'

export interface PushFlags extends RegistryFlags, CompressionFlags {
  readonly allTags?: boolean
  readonly platform?: readonly Platform[]
  readonly digestFile?: string
  readonly secrets: SecretsMode
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

/** Options of `slipway push`. */
export const push: Declare = (command, act) => {
  command
    .argument('<images...>', 'names of images in the local store: HOST/REPOSITORY:TAG')
    .option('-a, --all-tags', 'all images of the store with a tag of the repository')
    .option(
      '--platform <os/arch>',
      'the images for these platforms, several as one index (default: what the name means here; repeatable)',
      collectPlatforms,
    )
    .option('--digest-file <file>', 'write the digest of the pushed manifest to a file')
    .option(
      '--secrets <mode>',
      'secrets in the image: warn (quick), error (look at everything, and push nothing), or off',
      choice('--secrets', ['warn', 'error', 'off']),
      'warn' as const,
    )
    .addOption(progressOption())
    .option('-q, --quiet', 'print only names with digests')
    .action(
      act(async (context, images: readonly string[], flags: PushFlags) => {
        const { pushCommand } = await import('../actions/push-command.ts')
        return pushCommand(images, flags, context)
      }),
    )
  addCompressionOptions(command)
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway push registry.example/team/app:1', does: 'the image that has this name in the store' },
    { command: 'slipway push --compression zstd registry.example/team/app', does: 'smaller and quicker to unpack' },
    { command: 'slipway push --all-tags registry.example/team/app', does: 'every tag of the repository' },
  ])
}
