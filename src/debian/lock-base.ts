import type { BaseSpec } from './base-spec.ts'
import type { ResolveOptions } from './compose-options.ts'
import { type BaseLock, type LockedSystem, lockInputs } from './lock/base-lock.ts'
import { lockSystem } from './lock/lock-system.ts'
import { openSources } from './open-sources.ts'

/**
 * Solves a base for each architecture that its file lists, as the repositories are now: names, versions and digests, nothing but
 * indexes is fetched. Throws a `UserError`.
 */
export async function lockBase(spec: BaseSpec, options: ResolveOptions): Promise<BaseLock> {
  const systems: LockedSystem[] = []
  for (const named of spec.architectures.length > 0 ? spec.architectures : [undefined]) {
    await using sources = await openSources(spec, named, options)
    systems.push(lockSystem(await sources.solve(), sources.architecture.name))
  }
  return { inputs: lockInputs(spec), systems }
}
