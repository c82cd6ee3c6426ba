import type { RootFiles } from '../root-files.ts'
import type { ReadPackage } from '../read-packages.ts'
import { scriptCommands } from './script-commands.ts'

interface Alternative {
  readonly link: string
  readonly name: string
  readonly target: string
  readonly priority: number
  readonly package: string
  readonly slaves: readonly { readonly link: string; readonly name: string; readonly target: string }[]
}

/**
 * Makes the links that `update-alternatives --install` of postinst scripts would make (update-alternatives(1), automatic mode):
 * the highest priority wins, targets that are not there do not count. Returns the names.
 */
export function makeAlternatives(files: RootFiles, packages: readonly ReadPackage[]): readonly string[] {
  const best = new Map<string, Alternative>()
  for (const { record, deb } of packages) {
    const script = deb.control.get('postinst')?.bytes.toString('utf8') ?? ''
    if (!script.includes('update-alternatives')) continue
    for (const words of scriptCommands(script, new Set(['update-alternatives']))) {
      const alternative = parse(words, record.name)
      if (alternative === undefined || !isThere(files, alternative.target)) continue
      const known = best.get(alternative.name)
      if (known === undefined || alternative.priority > known.priority) best.set(alternative.name, alternative)
    }
  }
  for (const alternative of best.values()) {
    for (const { link, name, target } of [alternative, ...alternative.slaves]) {
      if (isThere(files, target)) makeAlternative(files, { link, name, target, package: alternative.package })
    }
  }
  return [...best.keys()].sort()
}

export interface AlternativeLink {
  /** Absolute. */
  readonly link: string
  readonly name: string
  /** Absolute. */
  readonly target: string
  readonly package?: string
}

/** Makes `/usr/bin/NAME` → `/etc/alternatives/NAME` → target; a file that is no link stays. */
export function makeAlternative(files: RootFiles, { link, name, target, package: owner }: AlternativeLink): void {
  const from = owner === undefined ? {} : { package: owner }
  if (files.found(link.slice(1)) === 'other' || files.found(link.slice(1)) === 'directory') return
  files.link(`etc/alternatives/${name}`, target, from)
  files.link(link.slice(1), `/etc/alternatives/${name}`, from)
}

function isThere(files: RootFiles, path: string): boolean {
  return files.found(path.slice(1)) !== 'nothing'
}

const name = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/
const path = /^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\0\n]+$/

function parse(words: readonly string[], owner: string): Alternative | undefined {
  const at = words.indexOf('--install')
  if (at === -1) return undefined
  const [link, own, target, priority] = words.slice(at + 1, at + 5)
  if (!isLink(link, own, target) || !/^-?\d+$/.test(priority ?? '')) return undefined
  const slaves: Alternative['slaves'][number][] = []
  for (let i = words.indexOf('--slave'); i !== -1; i = words.indexOf('--slave', i + 1)) {
    const [slave, slaveName, slaveTarget] = words.slice(i + 1, i + 4)
    if (isLink(slave, slaveName, slaveTarget)) {
      slaves.push({ link: slave as string, name: slaveName as string, target: slaveTarget as string })
    }
  }
  return {
    link: link as string,
    name: own as string,
    target: target as string,
    priority: Number(priority),
    package: owner,
    slaves,
  }
}

function isLink(link: string | undefined, own: string | undefined, target: string | undefined): boolean {
  return path.test(link ?? '') && name.test(own ?? '') && path.test(target ?? '')
}
