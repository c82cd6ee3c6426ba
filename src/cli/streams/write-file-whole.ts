import type { CliContext } from '../context.ts'
import { openDestination } from './open-destination.ts'

/** Writes a small file, whole or not at all. Throws a `UserError` when it cannot be written. */
export async function writeFileWhole(path: string, text: string, context: CliContext): Promise<void> {
  await using destination = await openDestination(path, context)
  await destination.write(Buffer.from(text))
  await destination.finish()
}
