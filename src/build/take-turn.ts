import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type FileLock, lockFile } from '#linux'
import type { Store } from '#store'

/** Lock files are never removed, so there are not more than this; two keys with the same one only wait in vain. */
const places = 4096

/**
 * Lets one build at a time make the result of a key, of all that share the store (section 16.8 of the language page).
 * Look for the result again when it is your turn, and never wait for another turn then. Throws the signal's reason after an abort.
 */
export async function takeTurn(
  store: Store,
  key: string,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: () => void },
): Promise<FileLock> {
  const place = createHash('sha256').update(key).digest().readUInt16BE() % places
  const path = join(store.directory('turns'), place.toString(16).padStart(3, '0'))
  return lockFile(path, 'exclusive', { signal, onWait })
}
