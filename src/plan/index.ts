/**
 * plan: Dockerfile + arguments + base image configurations → stages and steps.
 *
 * In: a syntax tree and what the command line gave. Out: a `BuildPlan`: plain data, every name resolved, every word
 * expanded, only what the target needs. Always: pure but for asking for base image configurations.
 */
export type * from './build-plan.ts'
export { isGitSource, isUrlSource } from './copy-sources.ts'
export {
  listTargets,
  type Outline,
  type OutlineArgument,
  type OutlineInput,
  outlineOf,
  type TargetSummary,
} from './outline.ts'
export { planBuild } from './plan-build.ts'
export { planToJson } from './plan-json.ts'
export type { Entitlement, EpochSource, FileOptions, PlanOptions } from './plan-options.ts'
export { isSecretValue } from './secret-values.ts'
