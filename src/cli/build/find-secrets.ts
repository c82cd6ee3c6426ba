import type { Place, Warning, WarningSink } from '#diagnostics'
import { parseImageConfig } from '#oci'
import type { BuildPlan, Step } from '#plan'
import { copiedScanner, type FileFinding, scanConfig, type SecretFinding } from '#scan'
import { rulesVersion } from '#secrets'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'
import { checkSecrets, type SecretsMode, whereOf } from '../scan/check-secrets.ts'
import { hiddenPlace } from '../scan/hide-secrets.ts'
import type { BuildSecrets } from './search-for-secrets.ts'
import { lineageOf, secretPlaces } from './secret-places.ts'

export interface SecretSearch {
  readonly store: Store
  readonly plans: readonly BuildPlan[]
  readonly mode: Exclude<SecretsMode, 'off'>
  readonly warn: WarningSink
  readonly context: CliContext
}

/** More are only counted. */
const shownWarnings = 20

export function buildSecrets({ store, plans, mode, warn, context }: SecretSearch): BuildSecrets {
  const steps = new Set<Step>(plans.flatMap(plan => lineageOf(plan).flatMap(stage => stage.steps)))
  const inFiles: { readonly step: Step; readonly finding: FileFinding }[] = []
  return {
    contentSink: async step => {
      // What only other stages have is in no image.
      if (!steps.has(step)) return undefined
      const look = copiedScanner(finding => inFiles.push({ step, finding }))
      return (entry, bytes) => look(entry.path, bytes)
    },
    check: async images => {
      const found = new Map<string, Warning>()
      // The same on several platforms, or in the environment and the history, is told once.
      const add = (finding: SecretFinding, at: Place | undefined): void => {
        if (finding.severity === 'low' || found.has(finding.fingerprint)) return
        found.set(finding.fingerprint, warningOf(finding, at))
      }
      for (const { step, finding } of inFiles) add(finding, hiddenPlace(step.place))
      for (const [i, { id, config }] of images.entries()) {
        const parsed = parseImageConfig(Buffer.from(config).toString())
        const findings = scanConfig(parsed)
        if (findings.length === 0) {
          if (rulesVersion !== undefined) store.images.setClean(id, rulesVersion)
          continue
        }
        const placeOf = secretPlaces(plans[i] as BuildPlan, parsed)
        for (const finding of findings) add(finding, placeOf(finding))
      }
      for (const warning of [...found.values()].slice(0, shownWarnings)) warn(warning)
      if (found.size > shownWarnings)
        warn({ code: 'Secret', message: `${found.size - shownWarnings} more secrets`, hint: 'see "slipway scan"' })
      if (mode !== 'error') return
      await checkSecrets(
        store,
        images.map(({ id }) => id),
        { mode, context, refusal: 'so nothing is written or named', otherwise: '--secrets=warn only warns' },
      )
    },
  }
}

function warningOf(finding: SecretFinding, at: Place | undefined): Warning {
  const { title, masked, place } = finding
  const line = place.kind === 'file' ? `, line ${place.line}` : ''
  return {
    code: 'Secret',
    message: `${title} in ${whereOf(finding)}${line}: ${masked}`,
    hint:
      place.kind === 'file'
        ? 'leave the file out with .dockerignore, or hand it to the RUN that needs it: --mount=type=secret'
        : 'whoever has the image can read it; hand it to the RUN that needs it: --mount=type=secret',
    ...(at && { at }),
    url: 'docs/scan.md',
  }
}
