/** One mount(8) in data: a line of fstab(5). */
export interface MountLine {
  readonly source: string
  readonly target: string
  /** File system type; `none` for bind mounts. */
  readonly type: string
  readonly options: readonly string[]
}

/**
 * The lines as a table for `mount -a -T`. Blanks and backslashes are written as octal escapes. Options must be free of
 * commas inside, which holds for every option that we make.
 */
export function formatFstab(lines: readonly MountLine[]): string {
  return lines
    .map(({ source, target, type, options }) => {
      const bad = options.find(option => /[,\s\\]/.test(option))
      if (bad !== undefined) throw new Error(`mount option with a separator: ${bad}`)
      return `${field(source)} ${field(target)} ${type} ${options.join(',') || 'defaults'} 0 0\n`
    })
    .join('')
}

function field(text: string): string {
  if (text.includes('\0')) throw new Error('a path with a null byte')
  return text.replace(/[ \t\n\r\\#]/g, c => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
