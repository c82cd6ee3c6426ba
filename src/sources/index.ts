/**
 * sources: where COPY and ADD take files from: build contexts, URLs, git repositories, archives.
 *
 * In: a directory of the user and its ignore file, an address, an archive. Out: a tree to select from, with digests of
 * contents where they are known. Always: nothing outside the directory is read, what was downloaded is not downloaded
 * again, nothing of the user's own git configuration is used, a file that nobody asks for is not touched.
 */
export { type Archive, openArchive } from './archive.ts'
export { nameOfUrl, type RemoteFile } from './fetch-url.ts'
export { type GitSource, parseGitUrl } from './git-url.ts'
export { type LocalContext, openLocalContext } from './local-context.ts'
export { type FetchOptions, type GitCheckout, openRemote, type Remote, type RemoteOptions } from './remote.ts'
export { isAddress, openRemoteContext, openStreamContext, type RemoteContext } from './remote-context.ts'
export { newestFile, remoteTime } from './remote-time.ts'
export { type Selectable, selectableTree } from './selectable.ts'
