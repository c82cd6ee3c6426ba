/**
 * fix: Dockerfiles that make smaller images and quicker builds, with the same tree.
 *
 * In: a Dockerfile, its ignore file, what the context has. Out: changes one by one, each with its reason and the paths that
 * are meant to differ. Always: made on spans of the text, so comments and formatting stay; what cannot keep the tree equal
 * says so.
 */
export { baseAdvice, type BaseAdvice } from './base-advice.ts'
export { type FixFigures, measureFixes } from './measure-fixes.ts'
export type { Measured, Proposal } from './proposal.ts'
export { type FixChain, type FixInput, proposeFixes } from './propose-fixes.ts'
export { otherBaseKey } from './stage-proposals.ts'
export { unexpectedDifferences } from './unexpected-differences.ts'
