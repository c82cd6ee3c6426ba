import { UserError } from '#diagnostics'
import { fieldOf } from './json.ts'

/** Operating system and processor in Go's names (image-spec, image-index.md "platform"). */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
}

const architectures: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  amd64: ['amd64'],
  i386: ['386'],
  i486: ['386'],
  i586: ['386'],
  i686: ['386'],
  aarch64: ['arm64'],
  arm64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  arm: ['arm', 'v7'],
}

const nodeArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
}

/** `os[(version)]/arch[/variant]` or a bare os or arch → a normalised platform. Throws a `UserError`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  if (parts.length > 3 || parts.some(part => !/^[A-Za-z0-9_.-]+(\([A-Za-z0-9_.-]*\))?$/.test(part))) {
    throw new UserError(`invalid platform ${JSON.stringify(text)}`, {
      hint: 'write os/arch or os/arch/variant, such as linux/arm64',
    })
  }
  const [first = '', second, third] = parts.map(part => part.toLowerCase())
  if (second === undefined) return bare(first, text)
  const os = /^([^(]+)(?:\((.*)\))?$/.exec(first)
  return {
    os: normalOs(os?.[1] ?? first),
    ...normalArchitecture(second, third),
    ...(os?.[2] && { 'os.version': os[2] }),
  }
}

function bare(word: string, text: string): Platform {
  const known = ['linux', 'windows', 'darwin', 'macos', 'freebsd', 'wasip1', 'js']
  if (known.includes(word)) return { ...hostPlatform(), os: normalOs(word) }
  if (word in architectures || ['riscv64', 'ppc64le', 's390x', '386', 'loong64', 'mips64le'].includes(word)) {
    return { os: 'linux', ...normalArchitecture(word) }
  }
  throw new UserError(`unknown operating system or architecture ${JSON.stringify(text)}`, {
    hint: 'write os/arch, such as linux/amd64',
  })
}

function normalOs(os: string): string {
  return os === 'macos' ? 'darwin' : os
}

function normalArchitecture(arch: string, variant?: string): Pick<Platform, 'architecture' | 'variant'> {
  const [architecture, implied] = architectures[arch] ?? [arch]
  let chosen = variant ?? implied
  if (architecture === 'arm64' && (chosen === 'v8' || chosen === '8')) chosen = undefined
  if (architecture === 'arm' && chosen !== undefined && /^\d/.test(chosen)) chosen = `v${chosen}`
  if (architecture === 'amd64' && chosen === 'v1') chosen = undefined
  return { architecture, ...(chosen && { variant: chosen }) }
}

/** The platform this process runs on. */
export function hostPlatform(): Platform {
  return {
    os: process.platform === 'linux' ? 'linux' : process.platform,
    architecture: nodeArchitectures[process.arch] ?? process.arch,
    ...(process.arch === 'arm' && { variant: 'v7' }),
  }
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}

/** Whether an image for `have` can serve for `want`: same os and architecture; a variant counts only where both name one. */
export function platformMatches(have: Platform, want: Platform): boolean {
  return (
    have.os === want.os &&
    have.architecture === want.architecture &&
    (have.variant === undefined ||
      want.variant === undefined ||
      have.variant === want.variant ||
      (have.architecture === 'arm64' && have.variant === 'v8'))
  )
}

/** A platform inside JSON from outside. */
export function platformFromJson(value: unknown, what: string): Platform {
  const object = fieldOf.object(value, what)
  const variant = object['variant']
  const version = object['os.version']
  return {
    os: fieldOf.string(object, 'os', what),
    architecture: fieldOf.string(object, 'architecture', what),
    ...(typeof variant === 'string' && variant !== '' && { variant }),
    ...(typeof version === 'string' && version !== '' && { 'os.version': version }),
  }
}
