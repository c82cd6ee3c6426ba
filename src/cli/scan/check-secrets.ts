import { chainOf, imageConfig } from '#build'
import { UserError } from '#diagnostics'
import type { Digest } from '#oci'
import { openLayerTar } from '#rootfs'
import { scanImage, type SecretFinding } from '#scan'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'

/** What is done about secrets before an image leaves: `warn` looks at what is quick, `error` at everything. */
export type SecretsMode = 'warn' | 'error' | 'off'

/** With `warn`, larger layers are not looked at (bytes of the archive). */
const quickLayer = 32 << 20

/**
 * Looks for secrets in images before they are pushed. Layers whose bytes are not here, which the registry has already, are left
 * out. Throws a `UserError` with `error` when there are some of severity medium or high.
 */
export async function checkSecrets(
  store: Store,
  ids: readonly Digest[],
  {
    mode,
    context,
    refusal = 'so it is not pushed',
    otherwise = '--secrets=warn pushes it all the same',
  }: {
    readonly mode: SecretsMode
    readonly context: CliContext
    /** What does not happen with `error`, and how it does. */
    readonly refusal?: string
    readonly otherwise?: string
  },
): Promise<void> {
  if (mode === 'off') return
  const lines = new Map<string, string>()
  for (const id of ids) {
    const image = store.images.get(id)
    if (!image) continue
    const chain = chainOf(store, image)
    const skipLayers = new Set(
      chain.flatMap((layer, i) => {
        const here = layer.forms.tar || layer.forms.directory
        return here && (mode === 'error' || (layer.tarSize ?? layer.size ?? 0) <= quickLayer) ? [] : [i]
      }),
    )
    const layers = chain.map((_, i) => ({ open: () => openLayerTar(store, chain.slice(0, i + 1)) }))
    const { findings } = await scanImage(
      { config: await imageConfig(store, id), layers },
      { skipLayers, signal: context.interrupts.signal },
    )
    for (const finding of findings.filter(({ severity }) => severity !== 'low')) {
      if (!lines.has(finding.fingerprint))
        lines.set(finding.fingerprint, `${finding.title} in ${whereOf(finding)}: ${finding.masked}`)
    }
  }
  if (lines.size === 0) return
  const count = lines.size === 1 ? 'a secret' : `${lines.size} secrets`
  const details = [...lines.values()].slice(0, 10)
  if (mode === 'error') {
    throw new UserError(`the image holds ${count}, ${refusal}`, {
      hint: `look at it with "slipway scan"; ${otherwise}`,
      details,
    })
  }
  context.stderr.write(`warning: the image holds ${count} (see "slipway scan"; --secrets=off is silent)\n`)
  for (const line of details) context.stderr.write(`  | ${line}\n`)
}

/** The place, as a sentence has it. */
export function whereOf({ place }: Pick<SecretFinding, 'place'>): string {
  switch (place.kind) {
    case 'file':
      return `/${place.path}`
    case 'history':
      return 'the history'
    case 'env':
      return `the variable ${place.name}`
    case 'label':
      return `the label ${place.name}`
    case 'config':
      return `the configuration (${place.field})`
  }
}
