export { LayerUnavailable } from '#rootfs'
export { cachedStore } from './cached-store.ts'
export { denyNeeded } from './deny-needed.ts'
