/**
 * layer: entries → tar (one pass, hashed on the way), tar ⇄ directory, compression.
 *
 * In: entries with the sources of their contents, archives, directories. Out: archives, entries, directories. Always:
 * streams (memory does not grow with a file's size), deterministic bytes, nothing followed when a directory is written.
 */
export { openContentReader, readContent, readSmallContent, type ContentReader } from './content-reader.ts'
export {
  decodeContents,
  decodeEntries,
  diskPath,
  encodeEntries,
  type FormPlaces,
  type PlacedContent,
} from './entries-file.ts'
export { createLayerIndexer, type IndexOptions, type LayerIndexer } from './index-layer.ts'
export { type ContentSink, packLayer, type PackedLayer, type TarSink } from './pack-layer.ts'
export { entryOf, listDirectory, type ScanOptions, scanDirectory } from './scan-directory.ts'
export {
  type DirectoryWriter,
  type NodeCalls,
  openDirectoryWriter,
  writeDirectory,
  type WriteOptions,
} from './write-directory.ts'
export { createSkeletonWriter, rebuildArchive, type SkeletonWriter } from './skeleton.ts'
export { type Compressor, compressGzip, gzipMaker } from './compression/compress-gzip.ts'
export { compressZstd, zstdLibrary } from './compression/compress-zstd.ts'
export { decompress, type DecompressOptions } from './compression/decompress.ts'
export { type Compression, sniffCompression, sniffSize } from './compression/sniff-compression.ts'
