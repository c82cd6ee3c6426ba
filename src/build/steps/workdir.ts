import { UserError } from '#diagnostics'
import type { WorkdirStep } from '#plan'
import { findOwner } from '#rootfs'
import { cacheKey } from '#store'
import { makeDirectory } from '#tree'
import { identityOf, inheritedTime, type StepKind } from '../step-kind.ts'
import { writeLayer } from '../write-layer.ts'

/** WORKDIR: makes the directory with its parents for the current USER (section 9.12 of the language page). */
export const workdirKind: StepKind<WorkdirStep> = (step, { store, parent, parentTree, signal }) => ({
  async *cacheKeys() {
    const inputs = { parent: identityOf(parent), path: step.path, user: step.user }
    yield { key: cacheKey('workdir', inputs), inputs }
  },
  makeLayer: async () => {
    const tree = await parentTree()
    // As for --chown: a number alone is the group, too.
    const owner = step.user === '' ? undefined : findOwner(tree, step.user)
    const seconds = inheritedTime(parent)
    const defaults = { mtime: { seconds, nanoseconds: 0 }, ...(owner && { owner }) }
    const entries = placed(step, () => makeDirectory(tree, step.path, defaults))
    return writeLayer(store, entries, { emptyTime: seconds, signal })
  },
})

/** The tree knows paths, not where the instruction stands. */
function placed<T>(step: WorkdirStep, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof UserError) || error.at) throw error
    throw new UserError(error.message, { hint: error.hint, at: step.place })
  }
}
