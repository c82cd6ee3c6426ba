import { hasFlag, operands, type ShellCommand } from '../shell/shell-command.ts'
import { commandsIn, type RuleFinding, type RuleSubject, type StageView } from './rule-finding.ts'

/** What installs for development too unless it is told, and how it is told. */
interface Installer {
  readonly installs: (command: ShellCommand) => boolean
  /** It is told on its own command line. */
  readonly isTold: (command: ShellCommand) => boolean
  /** Variables that tell it. */
  readonly variables: RegExp
  /** A later command that takes them away again, or an earlier one that settles it. */
  readonly undone?: (command: ShellCommand) => boolean
  readonly write: string
}

const verbOf = (command: ShellCommand): string => operands(command)[0]?.text ?? ''
const isFlagged = (pattern: RegExp) => (command: ShellCommand) =>
  pattern.test(command.args.map(({ text }) => text).join(' '))
/** Without names of packages: then it installs what the project's list says. */
const installsList = (command: ShellCommand, ...verbs: readonly string[]): boolean =>
  verbs.includes(verbOf(command)) && operands(command).length === 1

const nodeEnvironment = /^NODE_ENV=["']?production\b|^npm_config_(?:omit=["']?dev\b|production=["']?true)/i

const installers: Readonly<Record<string, Installer>> = {
  npm: {
    installs: command => installsList(command, 'ci', 'clean-install', 'install', 'i'),
    isTold: command =>
      isFlagged(/--omit[= ]dev\b|--only[= ]prod|--production\b(?!=false)/)(command) ||
      hasFlag(command, '-g', '--global'),
    variables: nodeEnvironment,
    undone: command => verbOf(command) === 'prune' && isFlagged(/--omit[= ]dev\b|--production\b/)(command),
    write: 'write npm ci --omit=dev',
  },
  yarn: {
    // `yarn` alone installs, too. From version 2 on `yarn workspaces focus` is the way.
    installs: command => operands(command).length === 0 || installsList(command, 'install'),
    isTold: command => isFlagged(/--prod(?:uction)?\b(?!=false)|--version|--help/)(command),
    variables: nodeEnvironment,
    undone: command => isFlagged(/(?:install|focus)\b.*--production\b/)(command),
    write: 'write yarn install --production (from version 2 on: yarn workspaces focus --production)',
  },
  pnpm: {
    installs: command => installsList(command, 'install', 'i'),
    isTold: command => hasFlag(command, '--prod', '-P', '--production'),
    variables: nodeEnvironment,
    undone: command => verbOf(command) === 'prune' && hasFlag(command, '--prod', '--production'),
    write: 'write pnpm install --prod',
  },
  composer: {
    installs: command => installsList(command, 'install', 'i'),
    isTold: command => hasFlag(command, '--no-dev'),
    variables: /^COMPOSER_NO_DEV=["']?1/,
    undone: command => verbOf(command) === 'install' && hasFlag(command, '--no-dev'),
    write: 'write composer install --no-dev',
  },
  poetry: {
    installs: command => installsList(command, 'install'),
    isTold: command => isFlagged(/--no-dev\b|--only[= ]\S*main|--without[= ]\S*\bdev/)(command),
    variables: /^POETRY_INSTALL_(?:WITHOUT|ONLY)=/,
    write: 'write poetry install --only main',
  },
  bundle: {
    installs: command => operands(command).length === 0 || installsList(command, 'install'),
    isTold: command => isFlagged(/--without\b.*development/)(command),
    variables: /^BUNDLE_(?:WITHOUT=.*development|DEPLOYMENT=)/,
    undone: command => verbOf(command) === 'config' && isFlagged(/without\b.*development/)(command),
    write: 'set ENV BUNDLE_WITHOUT=development:test',
  },
  uv: {
    installs: command => installsList(command, 'sync'),
    isTold: command => isFlagged(/--no-dev\b|--no-default-groups|--only-group/)(command),
    variables: /^UV_NO_DEV=["']?1/,
    write: 'write uv sync --no-dev',
  },
}

/** The last stage installs what only development needs: test runners, compilers of scripts, linters. */
export function developmentRules({ stages }: RuleSubject): readonly RuleFinding[] {
  const last = stages.at(-1)
  if (!last) return []
  const shipped = [last, ...last.below]
  const variables = shipped.flatMap(variablesOf)
  const all = shipped.toReversed().flatMap(commandsIn)
  return commandsIn(last).flatMap((command): readonly RuleFinding[] => {
    const installer = Object.hasOwn(installers, command.name) ? installers[command.name] : undefined
    if (!installer?.installs(command) || installer.isTold(command)) return []
    const own = command.before.map(({ text }) => text)
    if ([...variables, ...own].some(text => installer.variables.test(text))) return []
    if (installer.undone && all.some(each => each.name === command.name && installer.undone?.(each) === true)) return []
    return [
      {
        code: 'DevDependencies',
        message: `${command.name} also installs what only development needs, and this stage is the image`,
        hint: `${installer.write}; where a build needs them, build in a stage of its own`,
        span: command.span,
      },
    ]
  })
}

function variablesOf({ instructions }: StageView): readonly string[] {
  return instructions.flatMap(each => {
    if (each.kind === 'env') return each.pairs.map(({ name, value }) => `${name.text}=${value.text}`)
    if (each.kind === 'arg') return each.args.map(({ name, value }) => `${name.text}=${value?.text ?? ''}`)
    return []
  })
}
