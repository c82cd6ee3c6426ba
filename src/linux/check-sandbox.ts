import { isAbsolute, normalize } from 'node:path'
import { UserError } from '#diagnostics'
import type { HostTools } from './host-tools.ts'
import type { SandboxSpec } from './sandbox-spec.ts'

/** Limits that a sandbox can set, as Docker and prlimit(1) call them. */
export const resourceLimitNames: ReadonlySet<string> = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

/** Throws for a spec that is wrong in itself (our bug), and a `UserError` for one that this machine can't run. */
export function checkSandbox(spec: SandboxSpec, host: HostTools): void {
  if (spec.argv.length === 0 || spec.argv.some(word => word.includes('\0'))) throw new Error('argv without a program')
  const inside = [spec.workdir, ...spec.mounts.map(mount => mount.target), ...(spec.resolved?.values() ?? [])]
  const outside = [spec.scratch, ...spec.mounts.flatMap(mount => (mount.kind === 'bind' ? [mount.source] : []))]
  for (const path of [...inside, ...outside]) {
    if (!isAbsolute(path) || normalize(path) !== path || (path !== '/' && path.endsWith('/')) || path.includes('\0')) {
      throw new Error(`not a normalised absolute path: ${path}`)
    }
  }
  if (spec.mounts.some(mount => mount.target === '/')) throw new Error('a mount on the root')
  for (const overlay of [spec.root, ...spec.mounts]) {
    if (overlay.kind === 'overlay' && overlay.lower.length > 500) {
      throw new UserError(`${overlay.lower.length} layers are more than the kernel can stack (500)`, {
        hint: 'join RUN instructions, or start from an image with fewer layers',
      })
    }
  }
  checkMachine(spec, host)
}

function checkMachine(spec: SandboxSpec, host: HostTools): void {
  const { uid, gid, groups } = spec.user
  if (!host.manyIds && [uid, gid, ...groups].some(id => id !== 0)) {
    throw new UserError(`user ${uid}:${gid} does not exist here: only one id is mapped into the user namespace`, {
      hint: 'give your user a range in /etc/subuid and /etc/subgid and install the package uidmap, or run as root',
    })
  }
  if (spec.network === 'none' && host.loopbackUp === undefined) {
    throw new UserError('network "none" needs a program that sets the loopback interface up', {
      hint: 'install the package iproute2',
    })
  }
  for (const { name } of spec.ulimits ?? []) {
    if (!resourceLimitNames.has(name)) {
      throw new UserError(`unknown resource limit ${name}`, { hint: `known are ${[...resourceLimitNames].join(', ')}` })
    }
  }
  if (spec.ulimits?.length && host.prlimit === undefined) {
    throw new UserError('resource limits need prlimit on this machine', { hint: 'install the package util-linux' })
  }
}
