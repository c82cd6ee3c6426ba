import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandLine } from './command-line.ts'

/** Bytes of an image. */
export interface ImageSize {
  /** Sum of the layers, not compressed. */
  readonly size: number
  /** What a push sends: layers compressed with gzip, configuration and manifest. Absent where it was not asked for. */
  readonly compressed?: number
}

interface Described {
  readonly digest: string
  readonly size: number
}

interface Manifest {
  readonly config: Described
  readonly layers: readonly Described[]
}

/** The sizes of images, in their order. Images that share layers are compressed together, so that it is done once. */
export async function measureImages(
  tags: readonly string[],
  {
    slipway,
    scratch,
    compress,
  }: { readonly slipway: CommandLine; readonly scratch: string; readonly compress: boolean },
): Promise<readonly ImageSize[]> {
  const inspected = JSON.parse(await slipway.read(['inspect', ...tags])) as { readonly Size: number }[]
  if (!compress) return inspected.map(({ Size }) => ({ size: Size }))
  const archive = join(scratch, 'images.tar')
  try {
    await slipway.read(['save', '--type', 'oci', '-o', archive, ...tags])
    const file = (path: string): string => execFileSync('tar', ['-xOf', archive, path], { encoding: 'utf8' })
    const blob = (digest: string): Manifest => JSON.parse(file(`blobs/${digest.replace(':', '/')}`)) as Manifest
    const { manifests } = JSON.parse(file('index.json')) as { readonly manifests: readonly Described[] }
    return inspected.map(({ Size }, i) => {
      const manifest = manifests[i]
      if (!manifest) throw new Error(`the archive lacks ${tags[i]}`)
      const { config, layers } = blob(manifest.digest)
      return { size: Size, compressed: [manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0) }
    })
  } finally {
    rmSync(archive, { force: true })
  }
}
