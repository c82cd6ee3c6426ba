import { Option } from 'commander'
import { choice } from './choice.ts'

/** Values of `--progress`. */
export const progressModes = ['auto', 'tty', 'plain', 'json', 'quiet'] as const
export type ProgressMode = (typeof progressModes)[number]

/** `--progress MODE`. */
export function progressOption(): Option {
  return new Option('--progress <mode>', `how progress is shown on stderr: ${progressModes.join(', ')}`)
    .default('auto' satisfies ProgressMode)
    .argParser(choice('--progress', progressModes))
}
