/**
 * secrets: what looks like a password, a key or a token in bytes.
 *
 * In: bytes and the path at which they stand. Out: secrets with rule, severity, line and a masked value. Always: pure;
 * the value itself never leaves the room; one pass that looks only at what stands near known literals.
 */
export { isPackagedExample } from './harmless-path.ts'
export type { SecretHit, Severity } from './finding.ts'
export { rulesVersion } from './rules-version.ts'
export { scanString } from './scan-string.ts'
export { isBinary, type Scanned, scanBytes } from './scan-text.ts'
