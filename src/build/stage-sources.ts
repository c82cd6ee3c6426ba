import { UserError } from '#diagnostics'
import type { BuildPlan, ResolvedImage, SourceRef } from '#plan'
import { type Chain, chainTree, type FetchOptions } from '#rootfs'
import { type Selectable, selectableTree } from '#sources'
import type { Store } from '#store'
import { emptyTree, type MergedTree } from '#tree'
import { identityOf, type SourceTree } from './step-kind.ts'

/** Opens what COPY --from and --mount from can name. */
export interface SourceOpener {
  open(ref: SourceRef, fetching?: FetchOptions): Promise<SourceTree>
}

/** Opens a context when something is first taken from it (14.3); asked again, it gives the same one. */
export type ContextOpener = () => Selectable | Promise<Selectable>

export interface SourceParts {
  readonly store: Store
  readonly plan: BuildPlan
  /** The main context; undefined when the build has none (a Dockerfile on standard input). */
  readonly context: ContextOpener | undefined
  readonly namedContexts: ReadonlyMap<string, ContextOpener>
  solveStage(index: number): Promise<Chain>
  /** What a chain amounts to; default: with everything fetched that is somewhere else. */
  readonly treeOf?: (chain: Chain) => Promise<MergedTree>
}

export function openSources(parts: SourceParts): SourceOpener {
  // Many steps copy from one stage or image: it is read once.
  const trees = new Map<string, Promise<MergedTree>>()
  const read = (chain: Chain, fetching: FetchOptions | undefined): Promise<MergedTree> => {
    const identity = identityOf(chain)
    let tree = trees.get(identity)
    if (!tree) {
      tree = chainTree(parts.store, chain, fetching)
      trees.set(identity, tree)
      // Whoever asks next tries again.
      tree.catch(() => trees.delete(identity))
    }
    return tree
  }
  const tree =
    (fetching: FetchOptions | undefined): TreeOf =>
    chain =>
      parts.treeOf ? parts.treeOf(chain) : read(chain, fetching)
  return {
    open: async (ref, fetching) => {
      switch (ref.kind) {
        case 'context':
          return fromContext(requireContext(parts), 'the build context')
        case 'named-context': {
          const open = parts.namedContexts.get(ref.name)
          if (!open) throw new Error(`the plan names a context "${ref.name}" that was not given`)
          return fromContext(open, `the build context "${ref.name}"`)
        }
        case 'empty':
          return { where: 'scratch', identity: 'scratch', open: async () => selectableTree(emptyTree) }
        case 'stage': {
          const chain = await parts.solveStage(ref.stage)
          return fromChain(chain, `stage "${parts.plan.stages[ref.stage]?.name ?? ref.stage}"`, tree(fetching))
        }
        case 'image':
          return fromChain(imageChain(parts.store, ref.image), `image "${ref.image.reference}"`, tree(fetching))
      }
    },
  }
}

/** What does not come from a directory of the user has an identity of its own. */
async function fromContext(open: ContextOpener, where: string): Promise<SourceTree> {
  const tree = await open()
  return { where, open: async () => tree, ...(tree.identity !== undefined && { identity: tree.identity }) }
}

function requireContext({ context }: SourceParts): ContextOpener {
  if (context) return context
  throw new UserError('this build has no context to copy from', { hint: 'give a directory instead of "-"' })
}

type TreeOf = (chain: Chain) => Promise<MergedTree>

function fromChain(chain: Chain, where: string, treeOf: TreeOf): SourceTree {
  return { where, identity: identityOf(chain), open: async () => selectableTree(await treeOf(chain)) }
}

/** The layers of an image in the store. */
export function imageChain(store: Store, image: ResolvedImage): Chain {
  const record = store.images.withPrefix(image.id)[0]
  const layers = (record?.layers ?? []).map(id => store.layers.get(id))
  if (!record || layers.some(layer => layer === undefined)) {
    throw new UserError(`image "${image.reference}" is no longer complete in the store`, {
      hint: 'another process removed it; load or build it again',
      ...(image.place && { at: image.place }),
    })
  }
  return layers as Chain
}
