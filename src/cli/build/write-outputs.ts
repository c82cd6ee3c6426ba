import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type BuiltImage, exportDirectory, exportTar, type FileTree } from '#build'
import {
  type Annotations,
  type ExportedImage,
  type ImageGroup,
  writeDockerArchive,
  writeOciArchive,
  writeOciLayout,
} from '#image'
import { type Descriptor, formatPlatform, type Reference } from '#oci'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'
import type { AnnotationOption } from '../options/annotation.ts'
import type { RegistryFlags } from '../options/registry-options.ts'
import type { OciOutput, OutputOption, RegistryOutput } from '../options/output.ts'
import { type ActivityTeller, tellActivity } from '../progress/tell-activity.ts'
import { exportedImage } from '../streams/exported-image.ts'
import { annotationsOf, withCreated } from './annotations.ts'
import type { PlatformImage } from './build-metadata.ts'
import { openDestination, writeStream } from '../streams/open-destination.ts'

/** What is written, and what is told of it. */
export interface Writing {
  readonly store: Store
  /** At least one; several for several platforms. */
  readonly images: readonly PlatformImage[]
  readonly references: readonly Reference[]
  readonly annotations: readonly AnnotationOption[]
  readonly teller: ActivityTeller
  readonly registryFlags: RegistryFlags
  /** Makes a cache of the image's own manifest. */
  readonly inlineCache?: (built: BuiltImage) => Annotations
}

/** What the outputs tell about the image besides its id. */
export interface Written {
  /** Of the manifest, or of the index of several, where one was written. */
  readonly manifest?: Descriptor
}

/** Writes the images to all outputs, one after the other. Throws a `UserError` when one cannot be written. */
export async function writeOutputs(
  outputs: readonly OutputOption[],
  writing: Writing,
  context: CliContext,
): Promise<Written> {
  let written: Written = {}
  for (const output of outputs) {
    if (output.type === 'registry') {
      // Nobody else needs what reaches registries.
      const { writeToRegistry } = await import('./write-to-registry.ts')
      written = { ...(await writeToRegistry(output, writing, context)), ...written }
      continue
    }
    const text = `exporting ${kindOf(output)} to ${output.destination === '-' ? 'standard output' : output.destination}`
    const result = await tellActivity(writing.teller, text, () => writeOutput(output, writing, context))
    written = { ...result, ...written }
  }
  return written
}

type FileOutput = Exclude<OutputOption, RegistryOutput>

function kindOf(output: FileOutput): string {
  switch (output.type) {
    case 'oci':
      return output.tar ? 'an OCI archive' : 'an OCI layout'
    case 'docker':
      return 'a Docker archive'
    case 'tar':
      return 'an archive of the files'
    case 'local':
      return 'the files'
  }
}

async function writeOutput(output: FileOutput, writing: Writing, context: CliContext): Promise<Written> {
  const { store, images } = writing
  const { signal } = context.interrupts
  switch (output.type) {
    case 'oci':
      return writeOci(output, writing, context)
    case 'docker': {
      let manifest: Descriptor | undefined
      const onManifests = ([first]: readonly Descriptor[]): void => {
        manifest = first
      }
      await writeArchive(
        writeDockerArchive(await exportedImages(writing), { onManifests }),
        output.destination,
        context,
      )
      return manifest ? { manifest } : {}
    }
    case 'tar': {
      await using destination = await openDestination(output.destination, context)
      await exportTar(store, fileTrees(images), { sink: destination.write, signal })
      await destination.finish()
      return {}
    }
    case 'local': {
      for (const { chain, directory: part = '' } of fileTrees(images)) {
        const directory = resolve(context.directory, output.destination, part)
        await exportDirectory(store, chain, { directory, owners: context.userId === 0, signal })
      }
      return {}
    }
  }
}

/** The files of several platforms go to a directory each, `linux_arm64`, as BuildKit's `platform-split` has it. */
function fileTrees(images: readonly PlatformImage[]): FileTree[] {
  return images.map(({ platform, built: { chain } }) => ({
    chain,
    ...(images.length > 1 && { directory: formatPlatform(platform).replaceAll('/', '_') }),
  }))
}

/** The images with their names; those of a group have none, their index has them. */
async function exportedImages(writing: Writing): Promise<ExportedImage[]> {
  const { store, images, references } = writing
  const exported: ExportedImage[] = []
  for (const { platform, built } of images) {
    exported.push({
      ...(await exportedImage(store, { ...built, references: images.length > 1 ? [] : references })),
      ...imageAnnotations(writing, { platform, built }),
    })
  }
  return exported
}

/** Those of one image of several, or of the only one. */
export function imageAnnotations(
  { images, annotations, inlineCache }: Writing,
  { platform, built }: PlatformImage,
): Pick<ExportedImage, 'annotations' | 'descriptorAnnotations'> {
  const given = annotationsOf(annotations, 'manifest', platform)
  const own = inlineCache ? { ...given, ...inlineCache(built) } : given
  const descriptor = annotationsOf(annotations, 'manifest-descriptor', platform)
  const beside = images.length > 1 ? descriptor : withCreated(descriptor, built.epoch)
  return { ...(own && { annotations: own }), ...(beside && { descriptorAnnotations: beside }) }
}

/** What joins several images. */
export function groupOf({ images, references, annotations }: Writing): { group?: ImageGroup } {
  if (images.length === 1) return {}
  const own = annotationsOf(annotations, 'index')
  const beside = withCreated(annotationsOf(annotations, 'index-descriptor'), images[0]?.built.epoch)
  return {
    group: { references, ...(own && { annotations: own }), ...(beside && { descriptorAnnotations: beside }) },
  }
}

async function writeOci(output: OciOutput, writing: Writing, context: CliContext): Promise<Written> {
  const { compression, level, destination } = output
  const options = { compression, ...(level !== undefined && { level }), ...groupOf(writing) }
  const exported = await exportedImages(writing)
  if (!output.tar) {
    const directory = resolve(context.directory, destination)
    const [manifest] = await writeOciLayout(exported, { directory, ...options })
    return manifest ? { manifest } : {}
  }
  const scratch = await writing.store.temporary('export')
  await mkdir(scratch)
  let manifest: Descriptor | undefined
  const onManifests = ([first]: readonly Descriptor[]): void => {
    manifest = first
  }
  await writeArchive(writeOciArchive(exported, { ...options, scratch, onManifests }), destination, context)
  return manifest ? { manifest } : {}
}

async function writeArchive(bytes: AsyncIterable<Uint8Array>, path: string, context: CliContext): Promise<void> {
  await using destination = await openDestination(path, context)
  await writeStream(bytes, destination, context.interrupts.signal)
  await destination.finish()
}
