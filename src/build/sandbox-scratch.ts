import { mkdirSync, rmSync } from 'node:fs'
import type { SandboxSpec } from '#linux'
import type { Store } from '#store'

/** A directory for one run of a sandbox. */
export interface Scratch extends AsyncDisposable {
  readonly path: string
}

/** Bytes: a page for each of the files, and some more. */
const enough = 1 << 20

/**
 * Links, mount points and tables of a sandbox are some sixty tiny files that live as long as the command: in main memory they
 * cost nothing, on a disk that others write to each of them waits. What is bound from there has no devices (as a sandbox
 * has it anyway), so where a command may make them it is on the disk.
 */
export async function openScratch(
  store: Pick<Store, 'inMemory' | 'temporary'>,
  privileges: SandboxSpec['privileges'],
): Promise<Scratch> {
  const path = await (privileges === 'sandbox' ? store.inMemory('sandbox', enough) : store.temporary('sandbox'))
  mkdirSync(path)
  return {
    path,
    [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }),
  }
}
