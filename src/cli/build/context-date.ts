import type { EpochSource } from '#plan'
import { newestFile, remoteTime } from '#sources'
import type { NamedContexts } from './named-contexts.ts'
import type { Elsewhere } from './open-elsewhere.ts'
import type { ReadDockerfile } from './read-dockerfile.ts'

export interface ContextDateOptions {
  readonly dockerfile: ReadDockerfile
  readonly contexts: NamedContexts
  readonly elsewhere: Elsewhere
}

/**
 * The date of what SOURCE_DATE_EPOCH names, in seconds since 1970 (section 15.4 of the language page). A directory has
 * none: its files are as old as their checkout. Throws a `UserError` when an address cannot be reached.
 */
export async function contextDate(
  source: EpochSource,
  { dockerfile: { address, files }, contexts, elsewhere }: ContextDateOptions,
): Promise<number | undefined> {
  switch (source.kind) {
    case 'context':
      if (address !== undefined) return remoteTime(elsewhere, address)
      return files && newestFile(files)
    case 'named-context': {
      const context = contexts.get(source.name)
      return context?.kind === 'address' ? remoteTime(elsewhere, context.address) : undefined
    }
    case 'url':
    case 'git':
      return remoteTime(elsewhere, source.url, source.checksum)
  }
}
