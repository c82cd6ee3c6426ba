/**
 * sources: where COPY and ADD take files from: build contexts.
 *
 * In: a directory of the user and its ignore file. Out: a tree to select from, with digests of contents that come from
 * the stat cache where the file did not change. Always: nothing outside the directory is read, owners are root's, a file
 * that nobody asks for is not touched.
 */
export { type LocalContext, openLocalContext } from './local-context.ts'
export { type Selectable } from './selectable.ts'
