import type { HostCheck } from '#linux'
import type { FoundConfiguration, FoundCredentials } from '#registry'

/** What `slipway doctor` says of the way to registries: where it looks, never what is secret there. */
export function registryChecks(found: FoundConfiguration): readonly HostCheck[] {
  return [credentialsCheck(found.credentials), settingsCheck(found)]
}

function credentialsCheck(files: readonly FoundCredentials[]): HostCheck {
  const about = { id: 'credentials', title: 'registry credentials' }
  if (files.length === 0) {
    return { ...about, state: 'ok', detail: 'none; "slipway login HOST" keeps some' }
  }
  const detail = files.map(credentialsText).join('; ')
  const broken = files.find(({ problem }) => problem !== undefined)
  if (broken)
    return { ...about, state: 'limited', detail, hint: `mend ${broken.path}, or move it away and log in again` }
  const lost = files.flatMap(({ helpers }) => helpers).find(({ installed }) => !installed)
  if (lost === undefined) return { ...about, state: 'ok', detail }
  const hint = `install ${lost.program}, or take it out of the configuration: what it keeps is not found`
  return { ...about, state: 'limited', detail, hint }
}

function credentialsText({ path, registries, helpers, problem }: FoundCredentials): string {
  if (problem !== undefined) return problem
  const programs = helpers.map(({ program, installed }) => (installed ? program : `${program}, which is not on PATH`))
  const parts = [
    ...(registries.length > 0 ? [`for ${registries.join(', ')}`] : []),
    ...programs.map(each => `with ${each}`),
  ]
  return parts.length === 0 ? `${path} (no credentials)` : `${path} (${parts.join('; ')})`
}

function settingsCheck({ settings, mirrored, insecure, certificates, problem }: FoundConfiguration): HostCheck {
  const about = { id: 'registries', title: 'registry settings' }
  if (problem) return { ...about, state: 'limited', detail: problem.message, hint: problem.hint }
  const parts = [
    ...(mirrored.length > 0 ? [`mirrors for ${mirrored.join(', ')}`] : []),
    ...(insecure.length > 0 ? [`without TLS: ${insecure.join(', ')}`] : []),
  ]
  const sources = settings.length === 0 ? [] : [`${settings.join(', ')} (${parts.join('; ') || 'nothing set'})`]
  const all = [...sources, ...(certificates.length > 0 ? [`certificates in ${certificates.join(', ')}`] : [])]
  return { ...about, state: 'ok', detail: all.length === 0 ? 'none; defaults hold' : all.join('; ') }
}
