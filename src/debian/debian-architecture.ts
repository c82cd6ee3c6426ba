import { readFileSync } from 'node:fs'
import { nearest, UserError } from '#diagnostics'
import { formatPlatform, hostPlatform, type Platform } from '#oci'
import type { BaseKind, NamedArchitecture } from './base-spec.ts'

const platforms: Readonly<Record<string, Platform>> = {
  amd64: { os: 'linux', architecture: 'amd64' },
  arm64: { os: 'linux', architecture: 'arm64' },
  armel: { os: 'linux', architecture: 'arm', variant: 'v6' },
  armhf: { os: 'linux', architecture: 'arm', variant: 'v7' },
  i386: { os: 'linux', architecture: '386' },
  loong64: { os: 'linux', architecture: 'loong64' },
  mips64el: { os: 'linux', architecture: 'mips64le' },
  ppc64el: { os: 'linux', architecture: 'ppc64le' },
  riscv64: { os: 'linux', architecture: 'riscv64' },
  s390x: { os: 'linux', architecture: 's390x' },
}

/** Names of emulators in the kernel's table of program formats (binfmt_misc). */
const emulators: Readonly<Record<string, string>> = {
  arm64: 'qemu-aarch64',
  armel: 'qemu-arm',
  armhf: 'qemu-arm',
  ppc64el: 'qemu-ppc64le',
  amd64: 'qemu-x86_64',
}

/** An architecture that Debian has. */
export interface DebianArchitecture {
  /** Debian's name. */
  readonly name: string
  readonly platform: Platform
}

/**
 * The architecture that a base is for, by default this machine's. Throws a `UserError` for an unknown one, and for a full base
 * of one whose programs cannot run here: maintainer scripts must.
 */
export function targetArchitecture(kind: BaseKind, given?: NamedArchitecture): DebianArchitecture {
  const own = debianName(hostPlatform())
  const name = given?.name ?? own
  const at = given?.at
  const place = at && { at }
  if (name === undefined) {
    throw new UserError(`Debian has no architecture for ${formatPlatform(hostPlatform())}`, {
      hint: 'name one with "architecture: …"',
      ...place,
    })
  }
  const platform = platforms[name]
  if (platform === undefined) {
    const near = nearest(name, Object.keys(platforms))
    throw new UserError(`unknown architecture ${JSON.stringify(name)}`, {
      hint: near ? `did you mean ${near}?` : `known are ${Object.keys(platforms).join(', ')}`,
      ...place,
    })
  }
  if (kind === 'full' && !runsHere(name, own)) {
    throw new UserError(`programs for ${name} cannot run on this machine`, {
      hint: 'install an emulator (the Debian packages qemu-user-static and binfmt-support), or make a base of "kind: minimal"',
      ...place,
    })
  }
  return { name, platform }
}

function debianName(platform: Platform): string | undefined {
  return Object.keys(platforms).find(name => {
    const candidate = platforms[name]
    return candidate?.architecture === platform.architecture && candidate.variant === platform.variant
  })
}

function runsHere(name: string, own: string | undefined): boolean {
  if (name === own || (name === 'i386' && own === 'amd64')) return true
  try {
    const entry = readFileSync(`/proc/sys/fs/binfmt_misc/${emulators[name] ?? `qemu-${name}`}`, 'utf8')
    return entry.startsWith('enabled')
  } catch {
    return false
  }
}
