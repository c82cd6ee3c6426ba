import { type Command, Option } from 'commander'
import { parsePlatform, type Platform } from '#oci'
import { collect } from './collect.ts'
import { checkNameValue } from './name-value.ts'
import { addRegistryOptions, type RegistryFlags } from './registry-options.ts'

/** Options of every command that reads an image, wherever it is. */
export interface ImageFlags extends RegistryFlags {
  /** Which image of several for one name; default: that of this machine. */
  readonly platform?: Platform
  /** For `stage:NAME`: the Dockerfile, as given. */
  readonly file?: string
  /** For `stage:NAME`: the build context, as given. */
  readonly context?: string
  /** For `stage:NAME`, as given: NAME or NAME=VALUE. */
  readonly buildArg?: readonly string[]
}

/** How an image may be written. */
export const imageNotations =
  'a name or id of the store, docker://NAME, oci:DIR, oci-archive:FILE, docker-archive:FILE, a path, or stage:NAME of a Dockerfile'

/** Declares them. */
export function addImageOptions(command: Command): void {
  command
    .addOption(new Option('--platform <os/arch>', 'which image of several for one name').argParser(parsePlatform))
    .option('-f, --file <file>', 'for stage:NAME: the Dockerfile (default: Dockerfile in the context)')
    .option('--context <directory>', 'for stage:NAME: the build context (default: .)')
    .option(
      '--build-arg <name=value>',
      'for stage:NAME: set an ARG (repeatable)',
      collect(checkNameValue('--build-arg')),
    )
  addRegistryOptions(command)
}
