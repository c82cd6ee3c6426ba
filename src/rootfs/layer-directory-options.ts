import type { WriteOptions } from '#layer'
import { makeNode, setXattr } from '#linux'
import type { Entry } from '#tree'

/** How a layer becomes a lower directory of an overlay. */
export function layerDirectoryOptions(rootless: boolean): Pick<WriteOptions, 'whiteouts' | 'owners' | 'calls'> {
  return {
    whiteouts: {
      kind: 'overlay',
      opaqueAttribute: rootless ? 'user.overlay.opaque' : 'trusted.overlay.opaque',
    },
    owners: true,
    calls: { setXattr, makeNode },
  }
}

/** The kernel lets nobody make device nodes in a user namespace; Docker and podman leave them out there too. */
export function isLeftOut({ type }: Pick<Entry, 'type'>, rootless: boolean): boolean {
  return rootless && (type === 'char' || type === 'block')
}
