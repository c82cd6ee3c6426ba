import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from '#diagnostics'
import { findHostTools, findProgram, type HostTools, hostSearchPath } from '#linux'
import { formatSize } from '../size.ts'
import type { Check } from './check.ts'
import { probeSandbox } from './probe-sandbox.ts'

/** What the checks look at. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Directory of the local store. */
  readonly storeRoot: string
  /** Makes a fresh path for a probe, on the store's file system. */
  readonly temporary: (name: string) => Promise<string>
}

/** Less than this (bytes) free: a base image and a compiler hardly fit. */
const littleSpace = 2_000_000_000

/** Checks everything, in the order in which one would mend it. */
export async function runChecks(machine: Machine): Promise<Check[]> {
  const path = machine.environment['PATH']
  const tools = lookUpTools(path)
  return [
    nodeCheck(process.versions.node),
    storeCheck(machine.storeRoot),
    userCheck(),
    tools.check,
    await sandboxCheck(tools.found, machine),
    networkCheck(tools.found),
    programCheck('git', path, 'ADD of git repositories', 'install the package git'),
  ]
}

/** The Node that runs us. */
export function nodeCheck(version: string): Check {
  return { name: 'Node', status: 'ok', detail: version }
}

/** Whether the store's directory (or the one it will be made in) can be written, and what is free there. */
export function storeCheck(root: string): Check {
  const name = 'local store'
  const existing = nearestDirectory(root)
  try {
    accessSync(existing, constants.W_OK | constants.X_OK)
  } catch {
    return {
      name,
      status: 'missing',
      detail: `${root} cannot be written`,
      hint: 'choose another directory with SLIPWAY_ROOT, or make this one writable for you',
    }
  }
  const { bavail, bsize } = statfsSync(existing)
  const free = bavail * bsize
  const detail = `${root}, ${formatSize(free)} free`
  if (free >= littleSpace) return { name, status: 'ok', detail }
  return { name, status: 'limited', detail, hint: 'free some space, or choose another disk with SLIPWAY_ROOT' }
}

function nearestDirectory(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestDirectory(dirname(path))
}

function userCheck(): Check {
  const name = 'user'
  if (process.getuid?.() === 0) return { name, status: 'ok', detail: 'root' }
  return {
    name,
    status: 'limited',
    detail: `an ordinary user (${process.getuid?.()}): COPY and ADD work, RUN and owners other than root may not`,
    hint: 'run as root for everything',
  }
}

function lookUpTools(path: string | undefined): { readonly check: Check; readonly found: HostTools | undefined } {
  const name = 'tools for RUN'
  try {
    const found = findHostTools(path)
    const { unshare, mount, setpriv } = found
    return { check: { name, status: 'ok', detail: [unshare, mount, setpriv].join(', ') }, found }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { check: { name, status: 'missing', detail: error.message, hint: error.hint }, found: undefined }
  }
}

async function sandboxCheck(tools: HostTools | undefined, machine: Machine): Promise<Check> {
  const name = 'RUN in namespaces'
  if (!tools) return { name, status: 'missing', detail: 'not tried: tools are missing', hint: 'see the line above' }
  const place = await machine.temporary('doctor')
  mkdirSync(place, { recursive: true })
  const problem = await probeSandbox(place, tools)
  if (problem === undefined) return { name, status: 'ok', detail: 'a command ran in its own namespaces on an overlay' }
  return { name, status: 'missing', detail: problem.message, hint: problem.hint }
}

function networkCheck(tools: HostTools | undefined): Check {
  const name = 'RUN --network=none'
  if (tools?.loopbackUp) return { name, status: 'ok', detail: tools.loopbackUp[0] ?? '' }
  return {
    name,
    status: 'limited',
    detail: 'nothing here can set up a loopback interface',
    hint: 'install the package iproute2, or perl',
  }
}

function programCheck(program: string, path: string | undefined, purpose: string, hint: string): Check {
  const found = findProgram(program, hostSearchPath(path))
  if (found !== undefined) return { name: purpose, status: 'ok', detail: found }
  return { name: purpose, status: 'limited', detail: `${program} is not installed`, hint }
}
