import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import type { ForwardedAgent, SandboxMount } from '#linux'
import type { RunMount, RunStep } from '#plan'
import { materialise, selectMount } from './bound-files.ts'
import { type CacheMounts, openCacheMounts } from './cache-mounts.ts'
import { prepareSsh } from './ssh-mount.ts'
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
type Secret = Extract<RunMount, { type: 'secret' }>

interface Collected {
  readonly list: SandboxMount[]
  readonly env: string[]
  readonly caches: CacheMounts
  /** Files with values, gone when the command has ended. */
  readonly secrets: string[]
  readonly agents: ForwardedAgent[]
  /** Directory of this RUN's own files. */
  readonly place: string
}

/** Prepares what `--mount` asks for (section 11.9 of the language page). */
export async function prepareMounts(step: RunStep, inputs: StepInputs): Promise<PreparedMounts> {
  const place = await inputs.store.temporary('mounts')
  if (step.mounts.length > 0 || step.script) await mkdir(place, { mode: 0o755 })
  const caches = await openCacheMounts(step, inputs)
  const collected: Collected = { list: [], env: [], caches, agents: [], secrets: [], place }
  const release = async (): Promise<void> => {
    caches[Symbol.dispose]()
    for (const path of collected.secrets) rmSync(path, { force: true })
    for (const agent of collected.agents) await agent[Symbol.asyncDispose]()
  }
  try {
    for (const [i, mount] of step.mounts.entries())
      await prepare(step, mount, { inputs, to: { ...collected, place: join(place, String(i)) } })
    if (!step.script) return { ...collected, [Symbol.asyncDispose]: release }
    const source = join(place, 'script')
    writeFileSync(source, step.script.body, { mode: 0o755, flag: 'wx' })
    chmodSync(source, 0o755)
    const target = `/dev/pipes/${step.script.name}`
    const list: readonly SandboxMount[] = [
      ...collected.list,
      { kind: 'tmpfs', target: '/dev/pipes', mode: 0o755 },
      { kind: 'bind', source, target, readonly: true, type: 'file' },
    ]
    return { ...collected, list, script: target, [Symbol.asyncDispose]: release }
  } catch (error) {
    await release()
    throw error
  }
}

interface Preparing {
  readonly inputs: StepInputs
  readonly to: Collected
}

async function prepare(step: RunStep, mount: RunMount, { inputs, to }: Preparing): Promise<void> {
  switch (mount.type) {
    case 'bind':
      to.list.push(await prepareBind(mount, inputs, to.place))
      return
    case 'cache': {
      const cache = to.caches.mounts.get(mount)
      if (cache) to.list.push(cache)
      return
    }
    case 'tmpfs':
      to.list.push({ kind: 'tmpfs', target: mount.target, ...(mount.size !== undefined && { size: mount.size }) })
      return
    case 'secret':
      await prepareSecret(mount, inputs, to)
      return
    case 'ssh': {
      const ssh = await prepareSsh(step, mount, { runs: inputs.runs, place: to.place, env: to.env })
      if (!ssh) return
      to.agents.push(ssh.agent)
      to.list.push(ssh.mount)
      to.env.push(...ssh.env)
    }
  }
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
  const source = await inputs.store.inMemory('secret')
  to.secrets.push(source)
  writeFileSync(source, value, { mode: 0o400, flag: 'wx' })
  chownSync(source, mount.uid, mount.gid)
  chmodSync(source, mount.mode)
  to.list.push({
    kind: 'bind',
    source,
    target: mount.target ?? `/run/secrets/${mount.id.split('/').at(-1) ?? mount.id}`,
    readonly: true,
    type: 'file',
  })
}
