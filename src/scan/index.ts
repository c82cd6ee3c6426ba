/**
 * scan: secrets in images, directories and texts.
 *
 * In: a configuration and layers as archives, a directory, a text. Out: findings with layer, path, line, and what was
 * not looked at. Always: values are masked; streams, so memory does not grow with an image; archives one level deep, with
 * limits; nothing outside a directory is read.
 */
export { type Baseline, baselineOf, beyondBaseline, parseBaseline } from './baseline.ts'
export type { FileFinding } from './file-scanner.ts'
export type { ScanReport, SecretFinding, SecretPlace } from './finding.ts'
export { inText, scanConfig } from './scan-config.ts'
export { copiedScanner } from './scan-copied.ts'
export { type DirectoryOptions, scanDirectory } from './scan-directory.ts'
export { type ScannedImage, scanImage, type ScanOptions } from './scan-image.ts'
