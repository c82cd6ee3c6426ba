import type { Command, Option } from 'commander'
import { usageError } from './usage-error.ts'

/**
 * Options as Docker takes them. A value that may be left out only comes after `=`: `--keep image` is a flag and an
 * operand. Flags without a value also come as `--rm=true` and `--human=false`. Gives the arguments in the form that
 * commander knows: `--rm`, and `--no-human` or nothing. `command` says which flags there are; for a command that passes
 * options through, what follows its first operand stays as it is.
 */
export function plainBooleanFlags(
  command: Command,
  args: readonly string[],
  options: { readonly passThrough: boolean },
): string[] {
  const out: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--' || (options.passThrough && !isFlag(arg))) return [...out, ...args.slice(i)]
    const form = /^(--[^=]+)=(.*)$/s.exec(arg)
    const option = findOption(command, form?.[1] ?? arg)
    if (form && option && !option.required && !option.optional)
      out.push(...asBoolean(command, option, form[1] ?? '', form[2] ?? ''))
    else out.push(!form && option?.optional ? `${option.long ?? arg}=` : arg)
    if (!form && option?.required) out.push(...args.slice(++i, i + 1))
  }
  return out
}

function isFlag(arg: string): boolean {
  return arg.length > 1 && arg.startsWith('-')
}

/** Of combined short flags (`-it`, `-oFILE`) the first decides, unless it takes no value and the last one does. */
function findOption(command: Command, flag: string): Option | undefined {
  if (!isFlag(flag) || flag.startsWith('--')) return command.options.find(option => option.long === flag)
  const alone = command.options.find(option => option.short === flag)
  if (alone?.optional) return alone
  for (const [i, letter] of Array.from(flag.slice(1)).entries()) {
    const option = command.options.find(each => each.short === `-${letter}`)
    if (option?.required) return i === flag.length - 2 ? option : undefined
  }
  return undefined
}

function asBoolean(command: Command, option: Option, flag: string, value: string): string[] {
  const truth = truthOf(value)
  if (truth === undefined) {
    throw usageError(`invalid value ${JSON.stringify(value)} for ${flag}`, `write ${flag}=true or ${flag}=false`)
  }
  if (truth) return [flag]
  const opposite = option.negate ? flag.replace(/^--no-/, '--') : flag.replace(/^--/, '--no-')
  return command.options.some(each => each.long === opposite) ? [opposite] : []
}

/** The words of Go's strconv.ParseBool. */
function truthOf(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  return undefined
}
