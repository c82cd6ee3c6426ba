/**
 * rootfs: a chain of stored layers as something to look into or to run in.
 *
 * In: layers of the store, base first. Out: merged trees, directories for an overlay, a writable workspace, archives of
 * layers. Always: a form of a layer is made when it is first needed and kept; look-ups never leave the chain.
 */
export { type Chain, chainTree, growingChain, type GrowingChain, layerEntries } from './chain-tree.ts'
export { fetchedChain, fetchedLayer, type FetchOptions, type FetchReport, LayerUnavailable } from './fetch-layers.ts'
export { archiveHere, takeArchive, type TakenArchive, type TakingOptions } from './take-layer.ts'
export { directoryChain } from './directory-chain.ts'
export { openLayerTar, packedLayer } from './packed-layer.ts'
export { type Account, findAccount, findOwner, type TreeFiles } from './accounts.ts'
export { unpackedChain } from './unpacked-chain.ts'
export { openWorkspace, type Workspace, type WorkspaceOptions } from './workspace.ts'
