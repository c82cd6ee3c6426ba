import type { BuiltImage, SolveOptions } from '#build'
import { rulesVersion } from '#secrets'
import type { SecretSearch } from './find-secrets.ts'

/** Looks for secrets in what a build makes. */
export interface BuildSecrets {
  /** Sees what COPY and ADD of the target bring, in layers that are made now. */
  readonly contentSink: NonNullable<SolveOptions['contentSink']>
  /** Warns of what was found in files and in the configurations. Throws a `UserError` with `--secrets=error`. */
  readonly check: (images: readonly BuiltImage[]) => Promise<void>
}

/** The rules are loaded when there is something to look at: not for an image in which they found nothing before. */
export function searchForSecrets(search: SecretSearch): BuildSecrets {
  const { store, mode } = search
  let opened: Promise<BuildSecrets> | undefined
  const open = async (): Promise<BuildSecrets> => {
    const { buildSecrets } = await import('./find-secrets.ts')
    return buildSecrets(search)
  }
  const wasClean = ({ id }: BuiltImage): boolean => rulesVersion !== undefined && store.images.isClean(id, rulesVersion)
  return {
    contentSink: async step => (await (opened ??= open())).contentSink(step),
    check: async images => {
      if (!opened && mode === 'warn' && images.every(wasClean)) return
      await (await (opened ??= open())).check(images)
    },
  }
}
