import type { RunMount, RunStep } from '#plan'
import { contentOf, digestSelection } from '#tree'
import { learnContents } from './contents.ts'
import { selectMount } from './run-mounts.ts'
import type { StepInputs } from './step-kind.ts'

/**
 * What of a RUN's mounts decides about its result (section 16.5 of the language page): the content of bind mounts; of
 * caches only where they are; of secrets everything but the value.
 */
export async function mountKeys(step: RunStep, inputs: StepInputs): Promise<readonly unknown[]> {
  return Promise.all(step.mounts.map(mount => mountKey(mount, inputs)))
}

async function mountKey(mount: RunMount, inputs: StepInputs): Promise<unknown> {
  switch (mount.type) {
    case 'bind':
      return { type: 'bind', target: mount.target, writable: mount.writable, content: await bindContent(mount, inputs) }
    case 'cache':
      return {
        type: 'cache',
        target: mount.target,
        readonly: mount.readonly,
        ...(mount.idGiven ? {} : { id: mount.id }),
      }
    case 'tmpfs':
      return { type: 'tmpfs', target: mount.target, size: mount.size ?? null }
    case 'secret':
      return {
        type: 'secret',
        id: mount.id,
        target: mount.target ?? null,
        env: mount.env ?? null,
        mode: mount.mode,
        uid: mount.uid,
        gid: mount.gid,
      }
    case 'ssh':
      return {
        type: 'ssh',
        id: mount.id,
        target: mount.target ?? null,
        mode: mount.mode,
        uid: mount.uid,
        gid: mount.gid,
      }
  }
}

async function bindContent(mount: Extract<RunMount, { type: 'bind' }>, inputs: StepInputs): Promise<unknown> {
  const source = await inputs.source(mount.from)
  if (source.identity !== undefined) return { chain: source.identity, source: mount.source }
  const { tree, item } = await selectMount(mount, inputs)
  await learnContents([item], inputs.signal)
  for (const entry of item.entries) {
    const content = entry.type === 'file' ? contentOf(entry) : undefined
    if (content !== undefined) tree.learnContent(entry, content)
  }
  return digestSelection([item], { mode: true, owner: true, top: true })
}
