import type { FetchReport } from '#rootfs'
import type { ActivityEvent } from './step-kind.ts'

/** Tells downloads of layers as transfers of an activity. */
export function fetchReport(report: (event: Extract<ActivityEvent, { kind: 'transfer' }>) => void): FetchReport {
  return ({ diffId = '', id }, done, total) =>
    report({ kind: 'transfer', label: `layer ${(diffId || id).replace('sha256:', '').slice(0, 12)}`, done, total })
}
