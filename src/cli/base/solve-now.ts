import { type BaseLock, lockBase } from '#debian'
import type { CliContext } from '../context.ts'
import type { ProgressMode } from '../options/progress-option.ts'
import { idCounter } from '../progress/tell-activity.ts'
import { withProgress } from '../progress/with-progress.ts'
import { withStore } from '../store-root.ts'
import { type BaseInput, resolveOptions } from './base-input.ts'

/** What a base consists of as the repositories are now. Throws a `UserError`. */
export async function solveNow(input: BaseInput, mode: ProgressMode | 'quiet', context: CliContext): Promise<BaseLock> {
  return withStore(context, store =>
    withProgress(mode, context, progress =>
      lockBase(input.spec, resolveOptions(input, { store, progress, nextId: idCounter() }, context)),
    ),
  )
}
