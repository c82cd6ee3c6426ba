import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { exportDirectory, exportTar } from '#build'
import { writeDockerArchive, writeOciArchive, writeOciLayout } from '#image'
import type { Descriptor } from '#oci'
import type { Store } from '#store'
import type { CliContext } from '../context.ts'
import type { OciOutput, OutputOption } from '../options/output.ts'
import { type ActivityTeller, tellActivity } from '../progress/tell-activity.ts'
import { exportedImage, type NamedImage } from '../streams/exported-image.ts'
import { openDestination, writeStream } from '../streams/open-destination.ts'

/** What is written, and what is told of it. */
export interface Writing {
  readonly store: Store
  readonly image: NamedImage
  readonly teller: ActivityTeller
}

/** What the outputs tell about the image besides its id. */
export interface Written {
  /** Of the manifest, where one was written. */
  readonly manifest?: Descriptor
}

/** Writes an image to all outputs, one after the other. Throws a `UserError` when one cannot be written. */
export async function writeOutputs(
  outputs: readonly OutputOption[],
  writing: Writing,
  context: CliContext,
): Promise<Written> {
  let written: Written = {}
  for (const output of outputs) {
    const text = `exporting ${kindOf(output)} to ${output.destination === '-' ? 'standard output' : output.destination}`
    const result = await tellActivity(writing.teller, text, () => writeOutput(output, writing, context))
    written = { ...result, ...written }
  }
  return written
}

function kindOf(output: OutputOption): string {
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

async function writeOutput(output: OutputOption, writing: Writing, context: CliContext): Promise<Written> {
  const { store, image } = writing
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
        writeDockerArchive([await exportedImage(store, image)], { onManifests }),
        output.destination,
        context,
      )
      return manifest ? { manifest } : {}
    }
    case 'tar': {
      await using destination = await openDestination(output.destination, context)
      await exportTar(store, image.chain, { sink: destination.write, signal })
      await destination.finish()
      return {}
    }
    case 'local': {
      const directory = resolve(context.directory, output.destination)
      await exportDirectory(store, image.chain, { directory, owners: context.userId === 0, signal })
      return {}
    }
  }
}

async function writeOci(output: OciOutput, { store, image }: Writing, context: CliContext): Promise<Written> {
  const { compression, level, destination } = output
  const options = { compression, ...(level !== undefined && { level }) }
  const exported = await exportedImage(store, image)
  if (!output.tar) {
    const directory = resolve(context.directory, destination)
    const [manifest] = await writeOciLayout([exported], { directory, ...options })
    return manifest ? { manifest } : {}
  }
  const scratch = await store.temporary('export')
  await mkdir(scratch)
  let manifest: Descriptor | undefined
  const onManifests = ([first]: readonly Descriptor[]): void => {
    manifest = first
  }
  await writeArchive(writeOciArchive([exported], { ...options, scratch, onManifests }), destination, context)
  return manifest ? { manifest } : {}
}

async function writeArchive(bytes: AsyncIterable<Uint8Array>, path: string, context: CliContext): Promise<void> {
  await using destination = await openDestination(path, context)
  await writeStream(bytes, destination, context.interrupts.signal)
  await destination.finish()
}
