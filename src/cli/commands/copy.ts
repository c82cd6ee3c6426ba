import type { Platform } from '#oci'
import { addExamples, type Declare } from '../command-entry.ts'
import { addCompressionOptions, type CompressionFlags } from '../options/compression.ts'
import { collectPlatforms } from '../options/platforms.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

export interface CopyFlags extends RegistryFlags, CompressionFlags {
  readonly all?: boolean
  readonly platform?: readonly Platform[]
  readonly preserveDigests?: boolean
  readonly digestFile?: string
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

/** Options of `slipway copy`. */
export const copy: Declare = (command, act) => {
  const places =
    'docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], or a name of the store'
  command
    .argument('<source>', places)
    .argument('<destination>', 'the same')
    .option('-a, --all', 'all platforms, as one index')
    .option('--platform <os/arch>', 'the image for this platform (default: that of this machine)', collectPlatforms)
    .option('--preserve-digests', 'fail where the copy would have another digest')
    .option('--digest-file <file>', 'write the digest of the copied manifest to a file')
    .addOption(progressOption())
    .option('-q, --quiet', 'print only the digest')
    .action(
      act(async (context, source: string, destination: string, flags: CopyFlags) => {
        const { copyCommand } = await import('../actions/copy-command.ts')
        return copyCommand({ source, destination }, flags, context)
      }),
    )
  addCompressionOptions(command)
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway copy --all docker://a.example/app:1 docker://b.example/app:1', does: 'nothing is stored here' },
    { command: 'slipway copy docker://a.example/app:1 oci-archive:app.tar:1', does: 'into a file' },
    { command: 'slipway copy docker-archive:app.tar docker://a.example/app:1', does: 'what "docker save" wrote' },
  ])
}
