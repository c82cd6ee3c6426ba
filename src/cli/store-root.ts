import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { UserError } from '#diagnostics'
import { openStore, type Store } from '#store'
import type { CliContext } from './context.ts'
import type { RegistryFlags } from './options/registry-options.ts'
import { openPlaces, type Places } from './places.ts'

/**
 * Where the local store is: `SLIPWAY_ROOT`, else `slipway` in the XDG data directory (a relative `XDG_DATA_HOME` does
 * not count, as the specification says), else below the home directory.
 */
export function storeRoot({ environment, directory }: Pick<CliContext, 'environment' | 'directory'>): string {
  const { SLIPWAY_ROOT, XDG_DATA_HOME, HOME } = environment
  if (SLIPWAY_ROOT) return resolve(directory, SLIPWAY_ROOT)
  if (XDG_DATA_HOME && isAbsolute(XDG_DATA_HOME)) return join(XDG_DATA_HOME, 'slipway')
  return join(HOME && isAbsolute(HOME) ? HOME : homedir(), '.local', 'share', 'slipway')
}

/** Does `work` with the local store open, and the way to what it only knows by name; `flags` say how to speak to registries. */
export async function withStore<T>(
  context: CliContext,
  work: (store: Store) => Promise<T>,
  flags: RegistryFlags = {},
): Promise<T> {
  await using places = openPlaces(flags, context)
  using store = open(storeRoot(context), places)
  return await work(store)
}

function open(root: string, places: Places): Store {
  try {
    return openStore(root, { openPlace: repository => places.open(repository), untilExit: true })
  } catch (error) {
    // Whatever the kernel has against the directory is for the user to mend.
    const kernel = error instanceof UserError ? error.cause : error
    if (!(error instanceof Error) || !(kernel instanceof Error) || !('syscall' in kernel)) throw error
    throw new UserError(`the local store cannot be opened: ${error.message}`, {
      hint: 'choose another directory with SLIPWAY_ROOT, or make this one usable',
      cause: error,
    })
  }
}
