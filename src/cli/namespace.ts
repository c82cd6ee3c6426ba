import type { Chain } from '#rootfs'
import { type CliContext, isOrdinaryUser } from './context.ts'

/**
 * Runs this very command line again as root of a user namespace, where an ordinary user needs that: for commands in
 * images, and for layers whose files belong to mapped users. Gives its exit code; undefined when there is no need, or
 * we are already inside. Throws a `UserError` when this machine does not allow it.
 */
export async function enterNamespace(context: CliContext, isNeeded: boolean): Promise<number | undefined> {
  if (!isNeeded || !isOrdinaryUser(context)) return undefined
  const { enterUserNamespace } = await import('#linux')
  // Signals are the inner process's: it cleans up, we pass on how it ended.
  using _ = context.interrupts.takeOver(() => {})
  return await enterUserNamespace(context.commandLine, { env: { ...context.environment } })
}

/** Whether files of the chain lie unpacked in the store, under mapped owners. */
export function isUnpacked(chain: Chain): boolean {
  return chain.some(layer => layer.forms.directory)
}
