import type { Command } from 'commander'
import type { CompressionChoice } from '#image'
import { usageError } from '../usage-error.ts'
import { choice } from './choice.ts'

/** How layers are compressed, as options of a command. */
export interface CompressionFlags {
  readonly compression?: 'gzip' | 'zstd' | 'none'
  readonly compressionLevel?: string
  readonly forceCompression?: boolean
}

/** Declares them. */
export function addCompressionOptions(command: Command): void {
  command
    .option(
      '--compression <kind>',
      'how layers are compressed: gzip, zstd or none (default: gzip)',
      choice('--compression', ['gzip', 'zstd', 'none'] as const),
    )
    .option('--compression-level <number>', 'gzip: 0 to 9; zstd: 1 to 22 (default 3)')
    .option('--force-compression', 'compress anew what is compressed in another way already')
}

const levels = { none: [0, 0], gzip: [0, 9], zstd: [1, 22] } as const

/** What the options ask for. Throws a `UserError` (wrong usage) for a level that the compression hasn't. */
export function compressionOf(flags: CompressionFlags): CompressionChoice {
  const compression = flags.compression ?? 'gzip'
  const text = flags.compressionLevel
  const [least, most] = levels[compression]
  const level = Number(text)
  if (text !== undefined && (!/^\d+$/.test(text) || level < least || level > most)) {
    throw usageError(
      `--compression-level ${text}: ${compression} has no such level`,
      `levels of ${compression} go from ${least} to ${most}`,
    )
  }
  return {
    compression,
    ...(text !== undefined && { level }),
    ...(flags.forceCompression && { force: true }),
  }
}
