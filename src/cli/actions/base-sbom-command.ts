import { lockInputs } from '#debian'
import { UserError } from '#diagnostics'
import { readBase } from '../base/base-input.ts'
import { solveNow } from '../base/solve-now.ts'
import { sbomText } from '../base/write-sbom.ts'
import type { BaseSbomFlags } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'

/** `slipway base sbom`. */
export async function baseSbomCommand(file: string, flags: BaseSbomFlags, context: CliContext): Promise<number> {
  const input = await readBase(file, context)
  if (input.lock && input.lock.inputs !== lockInputs(input.spec)) {
    throw new UserError(`${input.lockPath} is of an earlier version of ${file}`, {
      hint: `make it again: slipway base lock ${file}`,
    })
  }
  const { systems } = input.lock ?? (await solveNow(input, flags.progress, context))
  const text = await sbomText(flags.format, input, systems)
  if (flags.output === undefined) context.stdout.write(text)
  else await writeFileWhole(flags.output, text, context)
  return 0
}
