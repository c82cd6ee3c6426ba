import type { Warning } from '#diagnostics'
import type { ResolvedBase, UsedSuite } from './resolve-base.ts'

/** What will surprise somebody who installs packages in an image of this base. */
export function baseWarnings({ packages, suites }: Pick<ResolvedBase, 'packages' | 'suites'>): readonly Warning[] {
  const names = new Set(packages.map(item => item.record.name))
  if (!names.has('apt')) return []
  const using = (scheme: string): UsedSuite | undefined => suites.find(suite => suite.repository.uri.startsWith(scheme))
  const local = using('file:')
  const encrypted = using('https:')
  return [
    ...(local
      ? [
          {
            code: 'BaseMirrorIsLocal',
            message: `apt in this base looks for packages at ${local.repository.uri}, which RUN does not see`,
            hint: 'mount the mirror into RUN, or write another /etc/apt/sources.list',
          },
        ]
      : []),
    ...(encrypted && !names.has('ca-certificates')
      ? [
          {
            code: 'BaseMirrorNeedsCertificates',
            message: `apt in this base cannot verify the certificate of ${new URL(encrypted.repository.uri).host}`,
            hint: 'add the package ca-certificates, or use an http:// mirror (packages are signed)',
          },
        ]
      : []),
  ]
}
