import { Option } from 'commander'
import { choice } from './choice.ts'

export type ListFormat = 'table' | 'json'

/** `--format table|json`, for every command that lists things. */
export function formatOption(description = 'table, or json: one object a line'): Option {
  return new Option('--format <format>', description)
    .default('table' satisfies ListFormat)
    .argParser(choice('--format', ['table', 'json'] as const))
}
