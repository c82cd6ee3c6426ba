/**
 * debian: apt repositories → verified packages → a root file system: own base images.
 *
 * In: a base file (YAML), mirrors, keyrings. Out: a directory that is a Debian system, its list of packages, and what an
 * image of it says. Always: nothing is used whose signature, size and SHA-256 have not been checked (but for repositories that
 * somebody calls trusted in writing); the same repositories give the same solution and the same files; neither dpkg nor
 * apt of the host is needed; package files are cached whole or not at all.
 */
export type { BaseConfig, BaseKind, BaseSpec, BaseVariant, NamedArchitecture, RepositorySpec } from './base-spec.ts'
export { composeBase } from './compose-base.ts'
export type {
  BaseMemory,
  ComposedBase,
  ComposedSystem,
  ComposeOptions,
  ComposePlace,
  RememberedBase,
  ResolveOptions,
} from './compose-options.ts'
export { type CutLayer, cutLayers } from './cut-layers.ts'
export {
  type BaseLock,
  formatLock,
  type LockedPackage,
  type LockedSystem,
  lockInputs,
  parseLock,
} from './lock/base-lock.ts'
export { compareSystems, type PackageChange } from './lock/compare-locks.ts'
export { lockBase } from './lock-base.ts'
export { targetArchitecture } from './debian-architecture.ts'
export type { OmittedDependency } from './minimal/omissions.ts'
export { readBaseFile } from './read-base-file.ts'
export { compareVersions } from './version.ts'
export { cycloneDxDocument } from './sbom/cyclonedx.ts'
export type { SbomSubject } from './sbom/describe-packages.ts'
export { spdxDocument } from './sbom/spdx.ts'
