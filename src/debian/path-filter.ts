import type { PathRule } from './base-spec.ts'

/** Says which members of packages are left out. */
export interface PathFilter {
  /** Whether a member (path without leading slash) is left out. */
  excludes(path: string, type: 'directory' | 'symlink' | 'other'): boolean
  readonly rules: readonly PathRule[]
}

/**
 * Names for what one often leaves out. Licences (`copyright` files) stay, as their terms ask for, and so do the aliases of
 * locales, which C libraries read.
 */
const classes: Readonly<Record<string, readonly string[]>> = {
  doc: ['/usr/share/doc/*', '/usr/share/doc-base/*', '/usr/share/gtk-doc/*', '!/usr/share/doc/*/copyright'],
  copyright: ['/usr/share/doc/*/copyright', '/usr/share/common-licenses/*'],
  man: ['/usr/share/man/*'],
  info: ['/usr/share/info/*'],
  help: ['/usr/share/help/*', '/usr/share/gnome/help/*'],
  locale: ['/usr/share/locale/*', '!/usr/share/locale/locale.alias'],
  lintian: ['/usr/share/lintian/*', '/usr/share/linda/*'],
  bug: ['/usr/share/bug/*', '/usr/share/apport/*'],
  completion: ['/usr/share/bash-completion/*', '/etc/bash_completion.d/*', '/usr/share/zsh/*', '/usr/share/fish/*'],
  menu: ['/usr/share/applications/*', '/usr/share/icons/*', '/usr/share/pixmaps/*', '/usr/share/menu/*'],
  gconv: ['/usr/lib/*/gconv/*', '/lib/*/gconv/*'],
  i18n: ['/usr/share/i18n/*'],
  'c-locale': ['/usr/lib/locale/*'],
  include: ['/usr/include/*'],
  static: ['/usr/lib/*.a', '/lib/*.a', '/usr/lib/*.la', '/usr/lib/*/pkgconfig/*', '/usr/share/pkgconfig/*'],
  systemd: ['/lib/systemd/*', '/usr/lib/systemd/*', '/usr/lib/tmpfiles.d/*', '/usr/lib/sysusers.d/*'],
  init: ['/etc/init.d/*', '/etc/default/*', '/etc/init/*', '/etc/logrotate.d/*', '/etc/cron.*/*'],
}

export const pathClasses: readonly string[] = Object.keys(classes)

/** The rules that a class stands for; undefined for what is none. */
export function rulesOfClass(name: string): readonly PathRule[] | undefined {
  return Object.hasOwn(classes, name) ? classes[name]?.map(pathRule) : undefined
}

/** `/usr/share/doc/*` leaves out, `!/usr/share/doc/*` brings back. */
export function pathRule(text: string): PathRule {
  return text.startsWith('!') ? { kind: 'include', pattern: text.slice(1) } : { kind: 'exclude', pattern: text }
}

/**
 * A filter that decides as dpkg's does (dpkg(1), --path-exclude): patterns of glob(7) in which `*` matches slashes, the last
 * match counts. Directories and symbolic links stay where a later rule may bring back something in them.
 */
export function createPathFilter(rules: readonly PathRule[]): PathFilter {
  const matchers = rules.map(({ kind, pattern }) => ({ kind, test: globExpression(pattern) }))
  const kept = rules.filter(rule => rule.kind === 'include').map(({ pattern }) => fixedPart(pattern))
  return {
    rules,
    excludes(path, type) {
      const name = `/${path}`
      const last = matchers.findLast(({ test }) => test.test(name))
      if (last?.kind !== 'exclude') return false
      return type === 'other' || !kept.some(prefix => name.startsWith(prefix))
    },
  }
}

/** What stands before the first wildcard, without slashes at its end. */
function fixedPart(pattern: string): string {
  const wildcard = pattern.search(/[*?[\\]/)
  return pattern.slice(0, wildcard === -1 ? undefined : wildcard).replace(/\/+$/, '')
}

/** fnmatch(3) without flags, as a regular expression. */
function globExpression(pattern: string): RegExp {
  let text = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string
    if (character === '*') text += '.*'
    else if (character === '?') text += '.'
    else if (character === '[') {
      const set = /^\[([!^]?)(\]?[^\]]*)\]/.exec(pattern.slice(at))
      if (set === null) text += '\\['
      else {
        text += `[${set[1] ? '^' : ''}${(set[2] ?? '').replace(/[\\\]^[]/g, '\\$&')}]`
        at += set[0].length - 1
      }
    } else if (character === '\\' && at + 1 < pattern.length) text += escaped(pattern[++at] as string)
    else text += escaped(character)
  }
  return new RegExp(`^${text}$`, 's')
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** dpkg's own configuration for the same filter (dpkg.cfg(5)), so that what is installed later follows it. */
export function dpkgFilterText(rules: readonly PathRule[]): string {
  return rules.map(({ kind, pattern }) => `path-${kind} ${pattern}\n`).join('')
}
