import { hasFlag, operands, type ShellCommand, type ShellWord } from '../shell/shell-command.ts'
import { commandsIn, type RuleFinding, type RuleSubject, type RunView, type StageView } from './rule-finding.ts'

const valued = [
  '-t',
  '--target-release',
  '--default-release',
  '-o',
  '--option',
  '-c',
  '--config-file',
  '-a',
  '--host-architecture',
]

/** Rules about apt: what it leaves behind, and what it waits for. */
export function aptRules({ stages }: RuleSubject): readonly RuleFinding[] {
  return stages.flatMap((stage, i) => [
    ...commandsIn(stage).flatMap(command => checkCommand(command)),
    ...stage.runs.flatMap(run => checkLists(run, { stage, isLast: i === stages.length - 1 })),
    ...checkUpdateAlone(stage),
  ])
}

/** `apt-get install a b`: its sub-command and what it names. */
export function aptCall(
  command: ShellCommand,
): { readonly verb: string; readonly packages: readonly ShellWord[] } | undefined {
  if (!['apt-get', 'apt', 'aptitude'].includes(command.name)) return undefined
  const [verb, ...packages] = operands(command, valued)
  return verb && { verb: verb.text, packages }
}

function checkCommand(command: ShellCommand): readonly RuleFinding[] {
  const { name, program, span } = command
  const call = aptCall(command)
  if (!call) return []
  const found: RuleFinding[] = []
  if (name === 'apt') {
    found.push({
      code: 'NoApt',
      message: 'apt is made for people: its options and output may change',
      hint: 'write apt-get (or apt-cache)',
      span: program.span,
      ...(call.verb !== 'full-upgrade' && { fix: [{ span: program.span, text: 'apt-get' }] }),
    })
  }
  if (['upgrade', 'dist-upgrade', 'full-upgrade', 'safe-upgrade'].includes(call.verb)) {
    found.push({
      code: 'NoUpgrade',
      message: `${name} ${call.verb} stores changed packages a second time, and gives another image every day`,
      hint: 'use a newer base image, or install the one package that is needed in a newer version',
      span,
    })
  }
  if (call.verb !== 'install') return found
  const verbSpan = operands(command, valued)[0]?.span ?? span
  const after = { start: verbSpan.end, end: verbSpan.end }
  if (
    !hasFlag(command, '-y', '--yes', '--assume-yes') &&
    !/^-\w*q\w*q|-q=2/.test(command.args.map(({ text }) => text).join(' '))
  ) {
    found.push({
      code: 'AptAssumeYes',
      message: `${name} install asks before it installs, and nobody answers`,
      hint: `write ${name} install -y`,
      span,
      fix: [{ span: after, text: ' -y' }],
    })
  }
  if (
    !hasFlag(command, '--no-install-recommends') &&
    !command.args.some(({ text }) => /Install-Recommends\s*=\s*"?(?:0|false)/i.test(text))
  ) {
    found.push({
      code: 'AptNoRecommends',
      message: `${name} install takes recommended packages too`,
      hint: 'add --no-install-recommends, and name what you need of them',
      span,
    })
  }
  for (const word of call.packages) {
    if (isPinned(word.text, /[=/]/) || word.variable || word.text.endsWith('.deb')) continue
    found.push({
      code: 'PinAptVersions',
      message: `${word.text} is installed in whatever version there is today`,
      hint: `write ${word.text}=VERSION, or make the base from a dated snapshot`,
      span: word.span,
    })
  }
  return found
}

/** Whether a package word holds a version or is a local file. */
export function isPinned(word: string, mark: RegExp): boolean {
  return mark.test(word) || /^[./~]/.test(word) || word.startsWith('$')
}

const lists = /^\/var\/lib\/apt(?:\/lists)?(?:\/.*)?$/

/** Lists matter where the layer stays: in the last stage, and in those that it is built from. */
function checkLists(
  { commands, instruction }: RunView,
  { stage, isLast }: { readonly stage: StageView; readonly isLast: boolean },
): readonly RuleFinding[] {
  const update = commands.find(command => aptCall(command)?.verb === 'update')
  const install = commands.some(command => aptCall(command)?.verb === 'install')
  if (!update || !install || !isLast) return []
  const cleans = commands.some(({ name, args }) => name === 'rm' && args.some(({ text }) => lists.test(text)))
  const mounted = instruction.mounts.some(
    ({ text }) => /type=(?:cache|tmpfs)/.test(text) && /\/var\/lib\/apt/.test(text),
  )
  if (cleans || mounted) return []
  const last = commands.findLast(({ depth }) => depth === 0)
  const clean = commands.some(command => aptCall(command)?.verb === 'clean') ? '' : ' && apt-get clean'
  const single = stage.runs.filter(run => run.commands.some(each => aptCall(each) !== undefined)).length === 1
  return [
    {
      code: 'AptCleanLists',
      message: 'the package lists that apt-get update fetches stay in the layer',
      hint: 'end the RUN with && rm -rf /var/lib/apt/lists/*, or mount a cache there',
      span: update.span,
      ...(last &&
        single &&
        commands.every(({ joint }) => joint === '' || joint === '&&') && {
          fix: [
            { span: { start: last.span.end, end: last.span.end }, text: `${clean} && rm -rf /var/lib/apt/lists/*` },
          ],
        }),
    },
  ]
}

function checkUpdateAlone({ runs }: StageView): readonly RuleFinding[] {
  return runs.flatMap(({ commands }) => {
    const update = commands.find(command => aptCall(command)?.verb === 'update')
    const uses = commands.some(command =>
      ['install', 'upgrade', 'dist-upgrade', 'build-dep', 'download', 'full-upgrade'].includes(
        aptCall(command)?.verb ?? '',
      ),
    )
    if (!update || uses || commands.length > 2) return []
    return [
      {
        code: 'AptUpdateAlone',
        message: 'the lists of this RUN are cached: a later install uses old ones, and fails when a version is gone',
        hint: 'write apt-get update && apt-get install … in one RUN',
        span: update.span,
      },
    ]
  })
}
