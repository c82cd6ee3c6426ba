import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import {
  planSandbox,
  prepareSandboxes,
  runSandbox,
  sandboxMountPoints,
  type SandboxMount,
  type SandboxResult,
  type SandboxSpec,
} from '#linux'
import { formatPlatform, hostPlatform, type Platform } from '#oci'
import type { RunStep } from '#plan'
import { type Account, findAccount, openWorkspace, type Workspace } from '#rootfs'
import { cacheKey } from '#store'
import { lookup } from '#tree'
import { fetchReport } from '../fetch-report.ts'
import { placed } from '../places.ts'
import { createLogTail, type LogTail } from '../log-tail.ts'
import { programsInRoot } from '../run-container.ts'
import { openScratch } from '../sandbox-scratch.ts'
import { type PreparedMounts, prepareMounts } from '../run-mounts.ts'
import {
  type CacheKey,
  identityOf,
  type MadeLayer,
  type RunSettings,
  type StepInputs,
  type StepKind,
} from '../step-kind.ts'
import { type BindAspect, bindsStages, mountFamily, mountKeys } from '../run-mount-keys.ts'

const usualHostname = 'buildkitsandbox'

/** RUN: the only step that needs a directory, a mount and a process. */
export const runKind: StepKind<RunStep> = (step, inputs) => {
  const make = (): Promise<MadeLayer> => placed(step.place, () => makeLayer(step, inputs))
  const keyBy = (by: BindAspect): Promise<CacheKey> => runKey(step, inputs, by)
  if (!bindsStages(step)) {
    return {
      async *cacheKeys() {
        yield await keyBy('content')
      },
      makeLayer: make,
    }
  }
  let late: readonly CacheKey[] = []
  return {
    async *cacheKeys() {
      const key = await keyBy('identity')
      yield key
      // Files of a stage are read when there is something to find.
      if (inputs.mayHit && key.family !== undefined && inputs.store.records.hasFamily(key.family))
        yield await keyBy('content')
    },
    makeLayer: async () => {
      const made = await make()
      late = [await keyBy('content')]
      return made
    },
    lateKeys: () => late,
  }
}

async function runKey(step: RunStep, inputs: StepInputs, by: BindAspect): Promise<CacheKey> {
  const { mounts, listings } = await mountKeys(step, inputs, by)
  const about = {
    parent: identityOf(inputs.parent),
    argv: step.argv,
    script: step.script ?? null,
    env: step.env,
    workdir: step.workdir,
    user: step.user,
    network: step.network,
    security: step.security,
    extraHosts: inputs.runs.extraHosts.map(({ name }) => name),
    platform: formatPlatform(inputs.platform),
    ...(step.hostname !== undefined && { hostname: step.hostname }),
  }
  const named = { ...about, mounts }
  const family = bindsStages(step) ? cacheKey('run', { ...about, mounts: mountFamily(step) }) : undefined
  return { key: cacheKey('run', named), inputs: named, listings, ...(family !== undefined && { family }) }
}

async function makeLayer(step: RunStep, inputs: StepInputs): Promise<MadeLayer> {
  const host = inputs.host()
  const { store, signal } = inputs
  prepareSandboxes(host)
  await using mounts = await prepareMounts(step, inputs)
  await using workspace = await openWorkspace(store, inputs.parent, {
    rootless: host.rootless,
    mountPoints: sandboxMountPoints({ mounts: mounts.list }),
    onUnpack: layer =>
      inputs.report({
        kind: 'transfer',
        label: 'unpacking',
        done: layer.size ?? 0,
        ...(layer.size !== undefined && { total: layer.size }),
      }),
    signal,
    onFetch: fetchReport(inputs.report),
  })
  const account = findAccount(workspace.tree, step.user)
  makeWorkdir(step, workspace)
  const tail = createLogTail()
  const result = await execute(step, inputs, { mounts, workspace, account, tail })
  if (result.exitCode !== 0) throw failure(step, result, tail)
  return { directory: await workspace.takeUpper(), created: new Date(inputs.now()).toISOString() }
}

interface Prepared {
  readonly mounts: PreparedMounts
  readonly workspace: Workspace
  readonly account: Account
  readonly tail: LogTail
}

async function execute(
  step: RunStep,
  inputs: StepInputs,
  { mounts, workspace, account, tail }: Prepared,
): Promise<SandboxResult> {
  await using scratch = await openScratch(inputs.store, step.security)
  const resolve = (mount: SandboxMount): SandboxMount => ({
    ...mount,
    target: workspace.resolved.get(mount.target) ?? mount.target,
  })
  const host = inputs.host()
  const hostname = step.hostname ?? usualHostname
  const plan = planSandbox(
    {
      root: { kind: 'overlay', lower: workspace.lower, upper: workspace.upper, work: workspace.work, volatile: true },
      mounts: mounts.list.map(resolve),
      resolved: workspace.resolved,
      argv: mounts.script === undefined ? step.argv : [mounts.script],
      env: environment(step, account, mounts),
      workdir: `/${lookup(workspace.tree, step.workdir).path}`,
      user: account,
      hostname,
      network: step.network === 'none' ? 'none' : 'host',
      privileges: step.security,
      ...sandboxSettings(inputs.runs, hostname),
      resolvConf: hostResolvConf(),
      scratch: scratch.path,
      stdio: 'pipe',
      inRoot: programsInRoot(workspace),
    },
    host,
  )
  try {
    return await runSandbox(plan, {
      signal: inputs.signal,
      onOutput: (stream, data) => {
        tail.push(stream, data)
        inputs.report({ kind: 'log', stream, data })
      },
    })
  } catch (error) {
    throw isForeignProgram(error, inputs.platform) ? foreignProgram(inputs.platform, error) : error
  }
}

/** The kernel was asked, so that everything runs for which it knows an interpreter (binfmt_misc). */
function isForeignProgram(error: unknown, { architecture }: Platform): boolean {
  if (!(error instanceof UserError) || error.exitCode !== 126) return false
  return architecture !== hostPlatform().architecture && /exec format error/i.test(error.message)
}

function foreignProgram(platform: Platform, cause: unknown): UserError {
  const [wanted, here] = [platform, hostPlatform()].map(formatPlatform)
  return new UserError(`this machine (${here}) cannot execute programs for ${wanted}`, {
    hint: 'install the packages qemu-user-static and binfmt-support, which register an interpreter for them; or build in a stage FROM --platform=$BUILDPLATFORM and COPY the result',
    cause,
  })
}

function sandboxSettings(
  { extraHosts, shmSize, ulimits }: RunSettings,
  hostname: string,
): Pick<SandboxSpec, 'hosts' | 'shmSize' | 'ulimits'> {
  const ownHosts = `127.0.0.1\tlocalhost ${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`
  const lines = extraHosts.map(({ name, address }) => `${address}\t${name}\n`)
  return {
    hosts: [ownHosts, ...lines].join(''),
    ...(shmSize !== undefined && { shmSize }),
    ...(ulimits && { ulimits }),
  }
}

/** Section 11.4 of the language page. */
function environment(step: RunStep, account: Account, mounts: PreparedMounts): readonly string[] {
  const env = [...step.env, ...step.unkeyedEnv, ...mounts.env]
  return env.some(line => line.startsWith('HOME=')) ? env : [...env, `HOME=${account.home}`]
}

/** A working directory that is missing is made as WORKDIR would have. */
function makeWorkdir(step: RunStep, workspace: Workspace): void {
  const found = lookup(workspace.tree, step.workdir)
  if (found.entry?.type === 'directory' || found.path === '') return
  if (found.entry)
    throw new UserError(`the working directory "${step.workdir}" is not a directory`, {
      hint: 'choose another WORKDIR',
      at: step.place,
    })
  let at = ''
  for (const part of found.path.split('/')) {
    at = at === '' ? part : `${at}/${part}`
    const directory = join(workspace.upper, at)
    mkdirSync(directory, { recursive: true, mode: 0o755 })
    const before = workspace.tree.get(at)
    if (before) chownSync(directory, before.uid, before.gid)
    chmodSync(directory, before?.mode ?? 0o755)
  }
}

function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    return ''
  }
}

function failure(step: RunStep, result: SandboxResult, tail: LogTail): UserError {
  const command = step.argv.join(' ').split('\n', 1)[0] ?? ''
  const shown = command.length > 120 ? `${command.slice(0, 117)}...` : command
  return new UserError(`process "${shown}" did not complete successfully: ${describeEnd(result)}`, {
    hint: hintFor(result),
    at: step.place,
    details: tail.lines(),
  })
}

function describeEnd(result: SandboxResult): string {
  if (result.oomKilled) return 'killed: out of memory'
  return result.signal === undefined ? `exit code: ${result.exitCode}` : `killed by ${result.signal}`
}

/** The signal that a shell reports with an exit code above 128. */
function signalBehind(exitCode: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0]
}

function hintFor(result: SandboxResult): string {
  if (result.oomKilled) return 'give the machine more memory, or let the command use fewer processes at once'
  const ending = signalBehind(result.exitCode)
  if (ending !== undefined)
    return `exit code ${result.exitCode} is 128 + ${result.exitCode - 128}: shells say so when ${ending} ended a program`
  if (result.exitCode === 127)
    return 'exit code 127 means that a program was not found: install it in this stage, or check PATH'
  if (result.exitCode === 126)
    return 'exit code 126 means that a file is not executable: check its mode and its first line'
  return "the lines above are the end of the command's output"
}
