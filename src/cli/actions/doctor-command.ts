import { openLibdeflate, probeHost } from '#linux'
import { findConfiguration } from '#registry'
import { painter } from '../color.ts'
import type { DoctorFlags } from '../commands/doctor.ts'
import type { CliContext } from '../context.ts'
import { renderChecks } from '../doctor/render-checks.ts'
import { gzipCheck, nodeCheck, programCheck, storeCheck } from '../doctor/own-checks.ts'
import { registryChecks } from '../doctor/registry-checks.ts'
import { storeRoot, withStore } from '../store-root.ts'
import { renderJsonLines } from '../table.ts'

/** `slipway doctor`: exit code 1 when something that a build may need is missing. */
export async function doctorCommand(flags: DoctorFlags, context: CliContext): Promise<number> {
  const { stdout, environment } = context
  const path = environment['PATH']
  const { checks: ofHost } = await withStore(context, async store =>
    probeHost({ path, directory: store.directory('probes') }),
  )
  const git = { program: 'git', title: 'ADD of git repositories', hint: 'install the package git' }
  const ofRegistries = registryChecks(await findConfiguration({ env: environment }))
  const checks = [
    nodeCheck(process.versions.node),
    storeCheck(storeRoot(context)),
    ...ofHost,
    programCheck(git, path),
    gzipCheck(openLibdeflate()?.name),
    ...ofRegistries,
  ]
  const text =
    flags.format === 'json'
      ? renderJsonLines(checks)
      : renderChecks(checks, painter(context.color.stdout), stdout.isTTY ? stdout.columns : undefined)
  stdout.write(text)
  return checks.some(check => check.state === 'missing') ? 1 : 0
}
