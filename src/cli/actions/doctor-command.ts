import { painter } from '../color.ts'
import type { DoctorFlags } from '../commands/doctor.ts'
import type { CliContext } from '../context.ts'
import { renderChecks } from '../doctor/check.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { storeRoot, withStore } from '../store-root.ts'
import { renderJsonLines } from '../table.ts'

/** `slipway doctor`: exit code 1 when something that a build may need is missing. */
export async function doctorCommand(flags: DoctorFlags, context: CliContext): Promise<number> {
  const { stdout, environment } = context
  const checks = await withStore(context, store =>
    runChecks({ environment, storeRoot: storeRoot(context), temporary: name => store.temporary(name) }),
  )
  const text =
    flags.format === 'json'
      ? renderJsonLines(checks)
      : renderChecks(checks, painter(context.color.stdout), stdout.isTTY ? stdout.columns : undefined)
  stdout.write(text)
  return checks.some(check => check.status === 'missing') ? 1 : 0
}
