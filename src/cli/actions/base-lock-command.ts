import { type BaseLock, formatLock } from '#debian'
import { type BaseInput, readBase } from '../base/base-input.ts'
import { solveNow } from '../base/solve-now.ts'
import type { BaseLockFlags } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { formatSize } from '../size.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'

/** `slipway base lock`. */
export async function baseLockCommand(file: string, flags: BaseLockFlags, context: CliContext): Promise<number> {
  const input = await readBase(file, context)
  const lock = await solveNow(input, flags.quiet ? 'quiet' : flags.progress, context)
  await writeLock(input, lock, context)
  if (!flags.quiet) context.stderr.write(describeLock(input, lock))
  return 0
}

/** Writes the lock beside its base file, whole or not at all. */
export async function writeLock({ lockPath }: BaseInput, lock: BaseLock, context: CliContext): Promise<void> {
  await writeFileWhole(lockPath, formatLock(lock), context)
}

/** One line for each architecture. */
export function describeLock({ lockPath }: BaseInput, lock: BaseLock): string {
  return lock.systems
    .map(({ architecture, packages }) => {
      const size = packages.reduce((sum, item) => sum + item.size, 0)
      return `${lockPath}: ${architecture}, ${packages.length} packages, ${formatSize(size)} to download\n`
    })
    .join('')
}
