/**
 * build: solve a plan: keys, cache, steps, events.
 *
 * In: a plan, contexts, a store. Out: an image in the store, and what became of every step. Always: each stage at most
 * once, independent stages at the same time, nothing run or read whose result was recorded before; whole or absent.
 */
export { addBaseImage, type IncomingBase } from './add-base-image.ts'
export { openBaseMemory } from './base-memory.ts'
export { type BuiltImage, buildImage } from './build-image.ts'
export {
  addDirectoryImage,
  addImage,
  addTreeImage,
  type IncomingDirectory,
  type IncomingImage,
  importLayer,
  nameImage,
  type IncomingLayer,
  type IncomingTree,
} from './import-image.ts'
export { exportDirectory, exportTar, type FileTree } from './export-tree.ts'
export {
  type CacheArchive,
  type CacheContents,
  type CacheTarget,
  exportCache,
  inlineCache,
} from './remote-cache/export-cache.ts'
export { type MountChoice, mountContents, type PackedMount, packMounts } from './remote-cache/mount-archives.ts'
export { type CacheLocation, openCache, type OpenedCache } from './remote-cache/open-cache.ts'
export { fetchReport } from './fetch-report.ts'
export { predictPlan } from './predict-plan.ts'
export { chainOf, type ContainerOptions, type ContainerResult, runContainer } from './run-container.ts'
export type { SolveOptions, StepReport } from './solve.ts'
export { verifyBuild } from './verify-build.ts'
export type { ContextOpener } from './stage-sources.ts'
export { type FinderOptions, type FoundImage, imageResolver, obtainImage, type Teller } from './image-finder.ts'
export { findImage, hasImage, imageConfig, originName, storeResolver } from './store-images.ts'
export type { RunSettings, SecretSource, SshSource } from './step-kind.ts'
