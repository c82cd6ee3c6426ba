import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '#diagnostics'
import { assembleImage } from '#image'
import {
  type HostTools,
  parseSignal,
  planSandbox,
  runSandbox,
  sandboxMountPoints,
  type SandboxMount,
  type SandboxResult,
} from '#linux'
import type { Digest, ImageConfig } from '#oci'
import { type Chain, findAccount, openWorkspace, packedLayer, type Workspace } from '#rootfs'
import type { ImageRecord, Store } from '#store'
import { lookup } from '#tree'
import { openScratch } from './sandbox-scratch.ts'
import { imageConfig } from './store-images.ts'

export interface ContainerOptions {
  readonly store: Store
  readonly image: ImageRecord
  readonly host: HostTools
  /** Replaces CMD; empty: the image's. */
  readonly command: readonly string[]
  /** Replaces ENTRYPOINT; an empty list removes it. */
  readonly entrypoint?: readonly string[]
  /** `NAME=value`, in addition to the image's. */
  readonly env: readonly string[]
  readonly volumes: readonly { readonly source: string; readonly target: string; readonly readonly: boolean }[]
  readonly workdir?: string
  readonly user?: string
  readonly hostname: string
  readonly network: 'host' | 'none'
  /** Our own streams (a terminal), or an empty input and `onOutput`. */
  readonly interactive: boolean
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
  /** Makes the writable layer an image of its own. */
  readonly keep: boolean
  readonly signal: AbortSignal
  readonly now: () => number
}

export interface ContainerResult extends SandboxResult {
  /** The image with what the command left, with `keep`. */
  readonly kept?: Digest
}

/** As `docker stop` waits: a service finishes what it is doing. */
const serviceGrace = 10_000

/** Runs a command in an image: its file system is the image's with a writable layer that is thrown away or kept. */
export async function runContainer(options: ContainerOptions): Promise<ContainerResult> {
  const { store, image, host, signal } = options
  const config = await imageConfig(store, image.id)
  const chain = chainOf(store, image)
  const mounts = await Promise.all(options.volumes.map(volumeMount))
  await using workspace = await openWorkspace(store, chain, {
    rootless: host.rootless,
    mountPoints: sandboxMountPoints({ mounts }),
    signal,
  })
  await using scratch = await openScratch(store, 'sandbox')
  const plan = planSandbox(
    {
      ...(await sandboxOf(options, config, workspace)),
      mounts: mounts.map(mount => ({ ...mount, target: workspace.resolved.get(mount.target) ?? mount.target })),
      scratch: scratch.path,
    },
    host,
  )
  const endSignal = parseSignal(config.config.StopSignal ?? '') ?? 'SIGTERM'
  const result = await runSandbox(plan, {
    signal,
    endSignal,
    graceMilliseconds: serviceGrace,
    onOutput: options.onOutput,
  })
  if (!options.keep) return result
  return { ...result, kept: await keep(options, { config, chain, upper: await workspace.takeUpper() }) }
}

async function volumeMount({ source, target, readonly }: ContainerOptions['volumes'][number]): Promise<SandboxMount> {
  const found = await stat(source).catch((cause: unknown) => {
    throw new UserError(`there is nothing at ${JSON.stringify(source)} to show as ${target}`, {
      hint: 'make it first, or name another path of this machine with -v',
      cause,
    })
  })
  return { kind: 'bind', source: resolve(source), target, readonly, type: found.isDirectory() ? 'directory' : 'file' }
}

async function sandboxOf(
  options: ContainerOptions,
  config: ImageConfig,
  workspace: Workspace,
): Promise<Omit<Parameters<typeof planSandbox>[0], 'mounts' | 'scratch'>> {
  const { Entrypoint, Cmd, WorkingDir, User, Env } = config.config
  const account = findAccount(workspace.tree, options.user ?? User ?? '')
  const entrypoint = options.entrypoint ?? Entrypoint ?? []
  const command = options.command.length > 0 ? options.command : options.entrypoint ? [] : (Cmd ?? [])
  const argv = [...entrypoint, ...command]
  if (argv.length === 0)
    throw new UserError('the image has neither ENTRYPOINT nor CMD, and no command was given', {
      hint: 'name a command: slipway run IMAGE COMMAND',
    })
  const workdir = options.workdir ?? (WorkingDir || '/')
  const found = lookup(workspace.tree, workdir)
  if (found.entry?.type !== 'directory')
    throw new UserError(`the working directory "${workdir}" is not in the image`, {
      hint: 'choose another one with -w',
    })
  return {
    root: { kind: 'overlay', lower: workspace.lower, upper: workspace.upper, work: workspace.work, volatile: true },
    resolved: workspace.resolved,
    argv,
    env: environment(Env ?? [], options.env, account.home),
    workdir: `/${found.path}`,
    user: account,
    hostname: options.hostname,
    network: options.network,
    privileges: 'sandbox',
    hosts: `127.0.0.1\tlocalhost ${options.hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`,
    resolvConf: await readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
    stdio: options.interactive ? 'inherit' : 'pipe',
    inRoot: programsInRoot(workspace),
  }
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Later values of a name win and keep its place. */
function environment(image: readonly string[], given: readonly string[], home: string): string[] {
  const values = new Map<string, string>()
  for (const line of [defaultPath, `HOME=${home}`, ...image, ...given]) values.set(line.split('=', 1)[0] ?? line, line)
  return [...values.values()]
}

/** Programs through which variables that steer the dynamic loader can be handed on (see `SandboxSpec.inRoot`). */
export function programsInRoot(workspace: Pick<Workspace, 'tree'>): { env?: string; sh?: string } {
  const has = (path: string): boolean => {
    const { entry } = lookup(workspace.tree, path)
    return entry?.type === 'file' && (entry.mode & 0o111) !== 0
  }
  return { ...(has('usr/bin/env') && { env: '/usr/bin/env' }), ...(has('bin/sh') && { sh: '/bin/sh' }) }
}

/** The layers of an image. Throws a `UserError` when one is gone. */
export function chainOf(store: Store, image: ImageRecord): Chain {
  return image.layers.map(id => {
    const layer = store.layers.get(id)
    if (!layer)
      throw new UserError(`image ${image.id} is no longer complete in the store`, {
        hint: 'another process removed a layer; load or build it again',
      })
    return layer
  })
}

interface Left {
  readonly config: ImageConfig
  readonly chain: Chain
  readonly upper: string
}

async function keep({ store, image, now, command }: ContainerOptions, { config, chain, upper }: Left): Promise<Digest> {
  const parent = chain.at(-1)?.id
  const created = new Date(now()).toISOString()
  const layer = await store.layers.add({
    id: store.layers.freshId(`run-${image.id}`),
    ...(parent !== undefined && { parent }),
    created,
    directory: upper,
  })
  const whole = [...chain, layer]
  const packed = await packedLayer(store, whole)
  const bytes = assembleImage({
    platform: config,
    config: config.config,
    base: config,
    layers: [
      ...config.rootfs.diff_ids.map((diffId, i) => ({ diffId, created: chain[i]?.created ?? created })),
      { diffId: packed.diffId, created },
    ],
    history: [{ createdBy: `slipway run ${command.join(' ')}`.trim(), layer: chain.length }],
  })
  const id = await store.blobs.put(bytes)
  store.images.add(
    id,
    whole.map(each => each.id),
  )
  return id
}
