/**
 * analyze: what is in an image, where every byte came from, and what to write instead.
 *
 * In: an image whose layers can be listed (`ReadableImage`), from the store or an archive. Out: an `Analysis` as plain
 * data. Always: sizes are bytes of file content, each file of a layer counted once; the sizes of all layers are what the
 * final tree shows plus what later layers hide; contents are read only of what describes packages.
 */
export {
  type Analysis,
  analyzeImage,
  type KindReport,
  type Study,
  savesHere,
  studyImage,
  type Totals,
} from './analyze-image.ts'
export {
  type Baseline,
  baselineOf,
  type BudgetAmount,
  type BudgetCheck,
  type BudgetLimit,
  type BudgetMetric,
  type BudgetReport,
  checkBudget,
  parseBaseline,
} from './budget/budget.ts'
export type { Cause, CauseKind, Rewrite } from './causes/cause.ts'
export { archivedImage, type ArchivePlaces } from './archived-image.ts'
export type { ConfigDifference, HistoryDifference } from './diff/diff-configs.ts'
export type { FileDifference, FileState } from './diff/diff-files.ts'
export {
  diffImages,
  type DiffOptions,
  type DiffTotals,
  type DirectoryDifference,
  type ImageDiff,
  type PackageDifference,
} from './diff/diff-images.ts'
export { type FileKind, fileKinds, kindTitles } from './file-kinds.ts'
export { htmlReport } from './html-report.ts'
export { givenBase } from './image-base.ts'
export type { Instruction } from './instructions.ts'
export type { LayerBytes, LayerReport, LineReport } from './layer-reports.ts'
export { copyLines, foldCopyLine } from './needs/copy-lines.ts'
export type { Need, Needs } from './needs/find-needs.ts'
export { type NeedsQuestion, type NeedsReport, needsReport, type OtherImage } from './needs/needs-report.ts'
export { type SplitQuestion, splitStage, type StageSplit, startedPrograms } from './needs/stage-split.ts'
export type { PackageReport } from './packages/find-packages.ts'
export type { ImageBase, ReadableImage, ReadableLayer } from './readable-image.ts'
export { storeImage } from './store-image.ts'
export { type DirectoryReport, type DuplicateReport, tellingDirectories } from './survey-tree.ts'
export { type CopyEnd, type FileCopy, type LayerTrace, type TraceNode, traceLayers, visitTree } from './trace-layers.ts'
export type { PathGroup } from './whole-paths.ts'
