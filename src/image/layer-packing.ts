import { type Compressor, compressGzip, compressZstd, gzipMaker, zstdLibrary } from '#layer'
import { mediaTypes } from '#oci'
import type { LayerCompression } from './exported-image.ts'

/** How layers are compressed where they go. */
export interface CompressionChoice {
  readonly compression: LayerCompression
  /** Of the compression; absent: its own default. */
  readonly level?: number
  /** Also layers that are compressed in another way where they can be had (`force-compression` of BuildKit). */
  readonly force?: boolean
}

/** Formats of manifests, configurations and layers. */
export type ImageFormat = 'oci' | 'docker'

/** How archives of layers are packed. */
export interface LayerPacking {
  readonly mediaType: string
  /** Names everything that the bytes depend on besides the content. */
  readonly variant: string
  /** Absent: they go as they are. */
  readonly compress?: Compressor
}

const types: Readonly<Record<ImageFormat, Readonly<Record<LayerCompression, string>>>> = {
  oci: { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd },
  // Docker's format knows no zstd; whoever reads it takes the type of the image specification, too.
  docker: { none: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.ociLayerZstd },
}

/** Throws a `UserError` for a level that the compression hasn't. */
export function layerPacking({ compression, level }: CompressionChoice, format: ImageFormat): LayerPacking {
  const mediaType = types[format][compression]
  const chosen = level === undefined ? {} : { level }
  switch (compression) {
    case 'none':
      return { mediaType, variant: 'none' }
    case 'gzip':
      return { mediaType, variant: `gzip-${gzipMaker(level)}`, compress: compressGzip(chosen) }
    case 'zstd':
      return { mediaType, variant: `zstd-${level ?? 3}-long-${zstdLibrary()}`, compress: compressZstd(chosen) }
  }
}

/** The type of a layer in a format: what one tool calls by Docker's name, another calls by that of the image specification. */
export function layerTypeIn(mediaType: string, format: ImageFormat): string | undefined {
  const compression = (Object.keys(types.oci) as LayerCompression[]).find(
    each => types.oci[each] === mediaType || types.docker[each] === mediaType,
  )
  return compression === undefined ? undefined : types[format][compression]
}
