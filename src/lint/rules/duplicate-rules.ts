import { operands } from '../shell/shell-command.ts'
import { aptCall } from './apt-rules.ts'
import { commandsIn, type RuleFinding, type RuleSubject } from './rule-finding.ts'

/** The same package twice in a stage. */
export function duplicateRules({ stages }: RuleSubject): readonly RuleFinding[] {
  return stages.flatMap(stage => {
    const seen = new Set<string>()
    return commandsIn(stage).flatMap(command => {
      const call = aptCall(command)
      const isApk = command.name === 'apk' && command.args.some(({ text }) => text === 'add')
      const words =
        call?.verb === 'install'
          ? call.packages
          : isApk
            ? operands(command, ['-t', '--virtual', '--repository', '-X']).slice(1)
            : []
      return words.flatMap(({ text, span, variable }): readonly RuleFinding[] => {
        const key = `${command.name} ${text.replace(/[=<>~].*/, '')}`
        if (variable || text.startsWith('.')) return []
        const before = seen.has(key)
        seen.add(key)
        return before
          ? [{ code: 'DuplicatePackages', message: `${text} is installed before`, hint: 'name it once', span }]
          : []
      })
    })
  })
}
