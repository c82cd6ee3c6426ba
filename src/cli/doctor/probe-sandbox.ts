import { lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '#diagnostics'
import { type HostTools, planSandbox, runSandbox, type SandboxMount } from '#linux'

/**
 * Runs the host's own shell in a sandbox as RUN does, on an overlay that lies in `place` (an empty directory on the
 * store's file system). Gives what stands in the way, or undefined.
 */
export async function probeSandbox(place: string, tools: HostTools): Promise<UserError | undefined> {
  const at = (name: string): string => join(place, name)
  for (const name of ['upper', 'work', 'scratch']) mkdirSync(at(name))
  const lower = at('lower')
  const mounts = makeRoot(lower)
  try {
    const plan = planSandbox(
      {
        root: { kind: 'overlay', lower: [lower], upper: at('upper'), work: at('work') },
        mounts,
        argv: ['/bin/sh', '-c', ': > /probe && test -r /proc/self/status'],
        env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        workdir: '/',
        user: { uid: 0, gid: 0, groups: [] },
        hostname: 'doctor',
        network: 'host',
        privileges: 'sandbox',
        hosts: '',
        resolvConf: '',
        scratch: at('scratch'),
        stdio: 'pipe',
      },
      tools,
    )
    const said: Uint8Array[] = []
    const { exitCode } = await runSandbox(plan, { onOutput: (_stream, chunk) => said.push(chunk) })
    if (exitCode === 0) return undefined
    const text = Buffer.concat(said).toString().trim()
    return new UserError(`a command in the sandbox ended with exit code ${exitCode}: ${text}`, {
      hint: 'run as root, in a container with enough privileges, or on another machine',
    })
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
}

/** A root with the standard mount points and the host's programs in it. */
function makeRoot(lower: string): SandboxMount[] {
  for (const directory of ['proc', 'sys', 'dev', 'etc']) mkdirSync(join(lower, directory), { recursive: true })
  for (const file of ['hosts', 'resolv.conf']) writeFileSync(join(lower, 'etc', file), '')
  const mounts: SandboxMount[] = []
  for (const name of ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false })
    if (found?.isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), join(lower, name))
    if (!found?.isDirectory()) continue
    mkdirSync(join(lower, name))
    mounts.push({ kind: 'bind', source: `/${name}`, target: `/${name}`, readonly: true })
  }
  return mounts
}
