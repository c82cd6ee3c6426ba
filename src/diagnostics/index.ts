/**
 * diagnostics: say what the user did wrong, where, and what to try.
 *
 * In: a message, a place in a text, a hint. Out: one rendered error or warning.
 * Always: a `UserError` is the user's to mend and shows no stack; every other `Error` that reaches the top is our bug.
 */
export { ExitCode, UserError, type UserErrorOptions } from './user-error.ts'
export { type Place, type Source, type Span, lineOf, positionOf, type Position } from './source.ts'
export { type FindingHead, renderError, renderFinding, renderWarning, type RenderOptions } from './render.ts'
export type { CacheReason, ProgressEvent, ProgressSink } from './progress.ts'
export { type Warning, type WarningSink } from './warning.ts'
export { nearest } from './nearest.ts'
