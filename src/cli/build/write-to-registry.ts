import type { PushedImage } from '#image'
import type { CliContext } from '../context.ts'
import { openCliRegistries } from '../open-registries.ts'
import type { RegistryOutput } from '../options/output.ts'
import { pushToRegistries } from '../streams/push-to-registry.ts'
import { pushedImage } from '../streams/pushed-image.ts'
import { groupOf, imageAnnotations, type Writing, type Written } from './write-outputs.ts'

/** Pushes under the names of the output, or those of `--tag`. */
export async function writeToRegistry(output: RegistryOutput, writing: Writing, context: CliContext): Promise<Written> {
  const { store, teller, registryFlags } = writing
  await using open = openCliRegistries(registryFlags, context)
  const images: PushedImage[] = []
  for (const { platform, built } of writing.images) {
    images.push({ ...(await pushedImage(store, built)), ...imageAnnotations(writing, { platform, built }) })
  }
  const { group } = groupOf(writing)
  const [first] = await pushToRegistries(
    {
      store,
      registries: open.registries,
      images,
      references: output.names.length > 0 ? output.names : writing.references,
      packing: output.packing,
      format: output.format,
      ...(group && { group }),
      teller,
    },
    context,
  )
  return first ? { manifest: first.manifest } : {}
}
