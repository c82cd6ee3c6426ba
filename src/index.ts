/**
 * What a program imports to build images: `import { buildImage, … } from 'slipway'`.
 *
 * Text → `parseDockerfile` → `planBuild` → `buildImage`, with a store (`openStore`) that keeps what was built. Mistakes of
 * the user are `UserError`s; `renderError` shows them as the command line does. Nothing here reads the environment or
 * the terminal. Parts that stand alone have entries of their own: `slipway/dockerfile`, `slipway/oci`, `slipway/tar`.
 */
export {
  buildImage,
  type BuiltImage,
  type ContextOpener,
  findImage,
  imageConfig,
  type SolveOptions,
  type StepReport,
  storeResolver,
} from '#build'
export { type ProgressEvent, type ProgressSink, renderError, UserError, type Warning } from '#diagnostics'
export { parseDockerfile, parseIgnoreFile } from '#dockerfile'
export { type Http, openHttp } from '#http'
export { findHostTools, type HostTools } from '#linux'
export { type BuildPlan, planBuild, type PlanOptions, planToJson } from '#plan'
export { type LocalContext, openLocalContext, openRemote, type Remote } from '#sources'
export { openStore, type Store } from '#store'
