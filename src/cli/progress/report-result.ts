import type { CliContext } from '../context.ts'
import type { ProgressMode } from '../options/progress-option.ts'
import { type ImageResult, jsonResult } from './json.ts'

/**
 * Says which image came out: on stderr in the form of the progress, and with `quiet` nothing but the id, on stdout.
 */
export function reportResult(result: ImageResult, mode: ProgressMode, context: CliContext): void {
  const { stdout, stderr, now } = context
  switch (mode) {
    case 'quiet':
      stdout.write(`${result.id}\n`)
      return
    case 'json':
      stderr.write(jsonResult(result, now()))
      return
    case 'auto':
    case 'tty':
    case 'plain':
      stderr.write(`image ${result.id}${result.names.map(name => `\n   as ${name}`).join('')}\n`)
  }
}
