import { addExamples, type Declare } from '../command-entry.ts'
import { choice } from '../options/choice.ts'
import { collect } from '../options/collect.ts'
import { checkNameValue } from '../options/name-value.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'

export interface FixFlags extends RegistryFlags {
  /** An image that was built from the file. */
  readonly image?: string
  /** Images that may stand in FROM. */
  readonly base?: readonly string[]
  readonly context?: string
  readonly write?: boolean
  readonly prove?: boolean
  readonly run?: string
  readonly multiStage?: boolean
  readonly target?: string
  /** As given: NAME or NAME=VALUE. */
  readonly buildArg?: readonly string[]
  readonly format: 'text' | 'json'
}

/** Options of `slipway fix`. */
export const fix: Declare = (command, act) => {
  command
    .argument('[path]', 'a Dockerfile, or a directory with one (default: .)')
    .option('--context <directory>', 'the build context (default: where the Dockerfile is)')
    .option('--write', 'write the changes; without, they are only shown')
    .option('--prove', 'build before and after, and compare the images file by file')
    .option('--run <command>', 'with --prove: run this in both images, and compare what it does')
    .option(
      '--image <image>',
      'take the figures from this image of the Dockerfile (default: the last one in the store)',
    )
    .option('--multi-stage', 'split off the building stage, or take a smaller base: the tree is another one then')
    .option(
      '--base <image>',
      'a smaller base to try, or scratch (repeatable; default: bases of the store)',
      collect(text => text),
    )
    .option('--target <stage>', 'with --prove: build this stage')
    .option('--build-arg <name=value>', 'with --prove: set an ARG (repeatable)', collect(checkNameValue('--build-arg')))
    .option('--format <format>', 'text or json', choice('--format', ['text', 'json']), 'text' as const)
    .action(
      act(async (context, path: string | undefined, flags: FixFlags) => {
        const { fixCommand } = await import('../actions/fix-command.ts')
        return fixCommand(path ?? '.', flags, context)
      }),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'slipway fix', does: 'show what could be better in ./Dockerfile' },
    { command: 'slipway fix --prove', does: 'build both, and say what is really saved' },
    { command: "slipway fix --write --prove --run '/app --version'", does: 'write what was proven to give the same' },
    { command: 'slipway fix --multi-stage --base debian:slim --prove', does: 'a last stage with only what is needed' },
  ])
}
