import { UserError } from '#diagnostics'
import { decompress } from '#layer'
import { digestOf, formatReference, mediaTypes, parseImageConfig, parseReference, type Reference } from '#oci'
import type { ArchiveFiles } from './archive-files.ts'
import type { ArchivedImage, ArchivedLayer } from './archived-image.ts'
import { verified } from './verified.ts'

/** `manifest.json` as `docker save` writes it. */
export async function readDockerImages(files: ArchiveFiles): Promise<readonly ArchivedImage[]> {
  const what = `${files.name}, manifest.json`
  const entries = listOf(parse((await files.readSmall('manifest.json')).toString(), what), what)
  const images: ArchivedImage[] = []
  for (const entry of entries) {
    const { Config, RepoTags, Layers } = (entry ?? {}) as Readonly<Record<string, unknown>>
    if (typeof Config !== 'string') throw malformed(what)
    const config = await files.readSmall(Config)
    const named = /[0-9a-f]{64}/.exec(Config)?.[0]
    if (named !== undefined && digestOf(config) !== `sha256:${named}`) {
      throw new UserError(`${files.name}: ${Config} has digest ${digestOf(config)}`, {
        hint: 'the archive is damaged; make or fetch it again',
      })
    }
    const paths = listOf(Layers ?? [], what).map(path => textOf(path, what))
    const references = listOf(RepoTags ?? [], what).map(tag => parseReference(textOf(tag, what)))
    images.push(dockerImage(files, { config, paths, references }))
  }
  return images
}

function dockerImage(
  files: ArchiveFiles,
  { config, paths, references }: { config: Buffer; paths: readonly string[]; references: readonly Reference[] },
): ArchivedImage {
  const diffIds = parseImageConfig(config.toString()).rootfs.diff_ids
  if (diffIds.length !== paths.length) throw malformed(`${files.name}, manifest.json`)
  const layers = diffIds.map((diffId, i): ArchivedLayer => {
    const path = paths[i] ?? ''
    const what = `${files.name}, layer ${path}`
    return {
      mediaType: mediaTypes.dockerLayer,
      diffId,
      open: () => verified(decompress(files.read(path), { name: what }), { digest: diffId, what }),
    }
  })
  return { references: unique(references), config, layers }
}

/** Each name once. */
function unique(references: readonly Reference[]): readonly Reference[] {
  return [...new Map(references.map(reference => [formatReference(reference), reference])).values()]
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed(what)
  }
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what)
  return value
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw malformed(what)
  return value
}

function malformed(what: string): UserError {
  return new UserError(`${what} is malformed`, { hint: 'make the archive again with "docker save"' })
}
