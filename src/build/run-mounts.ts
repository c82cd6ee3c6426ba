import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { createHash } from 'node:crypto'
import { writeDirectory } from '#layer'
import { type FileLock, lockFile, makeNode, type SandboxMount, setXattr, tryLockFile } from '#linux'
import type { RunMount, RunStep } from '#plan'
import type { Selectable } from '#sources'
import type { CopyItem } from '#tree'
import { selectSources } from './select.ts'
import type { StepInputs } from './step-kind.ts'

/** Mounts of one RUN with their sources in place. Disposing gives caches free and removes throw-away copies. */
export interface PreparedMounts extends AsyncDisposable {
  readonly list: readonly SandboxMount[]
  /** Secrets that the command gets as variables. */
  readonly env: readonly string[]
  /** Path inside of the heredoc script, when the RUN is one. */
  readonly script?: string
}

type Bind = Extract<RunMount, { type: 'bind' }>
type Cache = Extract<RunMount, { type: 'cache' }>
type Secret = Extract<RunMount, { type: 'secret' }>

interface Collected {
  readonly list: SandboxMount[]
  readonly env: string[]
  readonly locks: FileLock[]
  /** Directory of this RUN's own files. */
  readonly place: string
}

/** Prepares what `--mount` asks for (section 11.9 of the language page). */
export async function prepareMounts(step: RunStep, inputs: StepInputs): Promise<PreparedMounts> {
  const place = await inputs.store.temporary('mounts')
  await mkdir(place, { mode: 0o755 })
  const collected: Collected = { list: [], env: [], locks: [], place }
  const release = (): void => {
    for (const lock of collected.locks) lock[Symbol.dispose]()
  }
  try {
    for (const [i, mount] of step.mounts.entries())
      await prepare(mount, inputs, { ...collected, place: join(place, String(i)) })
    if (step.script) {
      const source = join(place, 'script')
      writeFileSync(source, step.script.body, { mode: 0o755, flag: 'wx' })
      chmodSync(source, 0o755)
      const target = `/dev/pipes/${step.script.name}`
      return {
        ...collected,
        list: [
          ...collected.list,
          { kind: 'tmpfs', target: '/dev/pipes', mode: 0o755 },
          { kind: 'bind', source, target, readonly: true, type: 'file' },
        ],
        script: target,
        [Symbol.asyncDispose]: async () => release(),
      }
    }
  } catch (error) {
    release()
    throw error
  }
  return { ...collected, [Symbol.asyncDispose]: async () => release() }
}

async function prepare(mount: RunMount, inputs: StepInputs, to: Collected): Promise<void> {
  switch (mount.type) {
    case 'bind':
      to.list.push(await prepareBind(mount, inputs, to.place))
      return
    case 'cache':
      to.list.push(await prepareCache(mount, inputs, to))
      return
    case 'tmpfs':
      to.list.push({ kind: 'tmpfs', target: mount.target, ...(mount.size !== undefined && { size: mount.size }) })
      return
    case 'secret':
      await prepareSecret(mount, inputs, to)
      return
    case 'ssh':
      // The command line has no --ssh yet: as without one in BuildKit, the mount is left out unless it is required.
      if (!mount.required) return
      throw new UserError(`ssh key "${mount.id}" not found`, {
        hint: 'no ssh agent is given to this build; remove "required" or fetch over https with a secret',
        at: mount.place,
      })
  }
}

/** What a bind or a cache seed takes from its source. */
export async function selectMount(
  mount: Pick<Bind, 'from' | 'source' | 'place'>,
  inputs: StepInputs,
): Promise<{ tree: Selectable; item: CopyItem }> {
  const source = await inputs.source(mount.from)
  const tree = await source.open()
  const step = { sources: [{ kind: 'path', path: mount.source, wildcard: false, place: mount.place }] }
  const [item] = selectSources(tree, step as unknown as Parameters<typeof selectSources>[1], {
    parents: false,
    where: source.where,
  })
  if (!item) throw new Error('a path without wildcards gives one item')
  return { tree, item }
}

/** A copy of what is asked for: with the ignore file applied, and free to be written to without a trace. */
async function prepareBind(mount: Bind, inputs: StepInputs, place: string): Promise<SandboxMount> {
  const { item } = await selectMount(mount, inputs)
  const isFile = await materialise(item, place, inputs.signal)
  return {
    kind: 'bind',
    source: isFile ? join(place, 'file') : place,
    target: mount.target,
    readonly: !mount.writable,
    type: isFile ? 'file' : 'directory',
  }
}

/** Writes an item as a directory, or as the file `file` in one; returns whether it was a file. */
async function materialise(item: CopyItem, place: string, signal: AbortSignal): Promise<boolean> {
  const [top] = item.entries
  const isFile = top !== undefined && top.type !== 'directory'
  mkdirSync(place, { mode: 0o755 })
  const entries = isFile ? [{ ...top, path: 'file' }] : item.entries
  await writeDirectory(entries, place, {
    whiteouts: { kind: 'skip' },
    owners: true,
    calls: { setXattr, makeNode },
    signal,
  })
  if (!isFile && top) {
    chownSync(place, top.uid, top.gid)
    chmodSync(place, top.mode)
  }
  return isFile
}

/** A directory that outlives builds; `sharing` says what happens while another RUN has it. */
async function prepareCache(mount: Cache, inputs: StepInputs, to: Collected): Promise<SandboxMount> {
  const root = inputs.store.directory('mounts')
  const name = createHash('sha256').update(mount.id).digest('hex').slice(0, 32)
  for (let copy = 0; ; copy++) {
    const base = join(root, copy === 0 ? name : `${name}-${copy}`)
    if (mount.sharing === 'private') {
      const lock = tryLockFile(`${base}.lock`, 'exclusive')
      if (!lock) continue
      to.locks.push(lock)
    } else if (mount.sharing === 'locked')
      to.locks.push(await lockFile(`${base}.lock`, 'exclusive', { signal: inputs.signal }))
    await seedCache(mount, inputs, base)
    return { kind: 'bind', source: join(base, 'data'), target: mount.target, readonly: mount.readonly }
  }
}

async function seedCache(mount: Cache, inputs: StepInputs, base: string): Promise<void> {
  const data = join(base, 'data')
  try {
    mkdirSync(base, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const fresh = await inputs.store.temporary('cache-mount')
  if (mount.from) {
    const { item } = await selectMount({ from: mount.from, source: mount.source, place: mount.place }, inputs)
    if (await materialise(item, fresh, inputs.signal)) {
      throw new UserError(`the source "${mount.source}" of a cache mount is a file`, {
        hint: 'a cache mount needs a directory',
        at: mount.place,
      })
    }
  } else mkdirSync(fresh, { mode: 0o755 })
  chownSync(fresh, mount.uid ?? 0, mount.gid ?? 0)
  chmodSync(fresh, mount.mode ?? 0o755)
  const { rename, rm } = await import('node:fs/promises')
  // Fails when the cache is there already and not empty: then that one is used.
  await rename(fresh, data).catch(() => rm(fresh, { recursive: true, force: true }))
}

const secretLimit = 500 * 1024

async function prepareSecret(mount: Secret, inputs: StepInputs, to: Collected): Promise<void> {
  const secret = inputs.secrets.get(mount.id)
  if (!secret) {
    if (!mount.required) return
    throw new UserError(`secret "${mount.id}" not found`, {
      hint: `give it to the build with --secret id=${mount.id},src=FILE`,
      at: mount.place,
    })
  }
  const value = await secret.read()
  if (value.length > secretLimit)
    throw new UserError(`secret "${mount.id}" has ${value.length} bytes`, {
      hint: 'a secret may have at most 500 KiB',
      at: mount.place,
    })
  if (mount.env !== undefined) to.env.push(`${mount.env}=${Buffer.from(value).toString('utf8')}`)
  if (mount.env !== undefined && mount.target === undefined) return
  writeFileSync(to.place, value, { mode: 0o400, flag: 'wx' })
  chownSync(to.place, mount.uid, mount.gid)
  chmodSync(to.place, mount.mode)
  to.list.push({
    kind: 'bind',
    source: to.place,
    target: mount.target ?? `/run/secrets/${mount.id.split('/').at(-1) ?? mount.id}`,
    readonly: true,
    type: 'file',
  })
}
