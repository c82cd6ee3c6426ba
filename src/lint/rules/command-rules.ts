import type { CommandInstruction, MappedText } from '#dockerfile'
import { mapText } from '#dockerfile'
import { parseShell } from '../shell/parse-shell.ts'
import { hasFlag, operands, type ShellCommand } from '../shell/shell-command.ts'
import { aptCall } from './apt-rules.ts'
import { pipInstall } from './package-rules.ts'
import { commandsIn, type RuleFinding, type RuleSubject, type RunView, type StageView } from './rule-finding.ts'

/** Rules about single commands of RUN, CMD and ENTRYPOINT, and how they are joined. */
export function commandRules({ stages }: RuleSubject): readonly RuleFinding[] {
  return [
    ...stages.flatMap(stage => [
      ...commandsIn(stage).flatMap(command => checkCommand(command, command.run)),
      ...stage.runs.flatMap(run => [...checkPipes(run, stage), ...checkCurlShell(run)]),
      ...checkConsecutive(stage),
      ...stage.instructions.flatMap(each =>
        each.kind === 'cmd' || each.kind === 'entrypoint' ? checkStart(each) : [],
      ),
    ]),
    ...checkDownloaders(stages),
  ]
}

const pointless = new Set([
  'ssh',
  'vim',
  'nano',
  'shutdown',
  'reboot',
  'service',
  'systemctl',
  'ps',
  'free',
  'top',
  'htop',
  'kill',
  'mount',
  'ifconfig',
])

function checkCommand(command: ShellCommand, { instruction }: RunView): readonly RuleFinding[] {
  const { name, args, span, before, program, depth } = command
  const out: RuleFinding[] = []
  const sudo = before.find(({ text }) => text === 'sudo' || text === 'doas') ?? (name === 'sudo' ? program : undefined)
  if (sudo) {
    out.push({
      code: 'NoSudo',
      message: 'RUN is root already, or has no sudo: it asks for a password, and loses the environment',
      hint: 'use USER root before and USER app behind, or gosu where a start script changes the user',
      span: sudo.span,
    })
  }
  if (name === 'cd' && depth === 0 && instruction.heredocs.length === 0) {
    out.push({
      code: 'UseWorkdir',
      message: 'cd holds for this RUN only',
      hint: 'write WORKDIR before it; inside parentheses (cd dir && make) it is seen to be local',
      span,
    })
  }
  if (pointless.has(name)) {
    out.push({
      code: 'PointlessCommand',
      message: `${name} does nothing useful while an image is built`,
      hint: 'leave it out',
      span,
    })
  }
  if (name === 'ln' && args.some(({ text }) => text === '/bin/sh')) {
    out.push({
      code: 'UseShell',
      message: 'the shell of all programs is changed',
      hint: 'write SHELL ["/bin/bash", "-c"] for the RUN instructions',
      span,
    })
  }
  if (name === 'chmod' && args.some(({ text }) => /^0?777$|^a?[+=]rwx$/.test(text))) {
    out.push({
      code: 'UnsafePermissions',
      message: 'everybody in the container may change these files',
      hint: 'give the files to the account that needs them (COPY --chown)',
      span,
    })
  }
  if (name === 'useradd' && !hasFlag(command, '-l', '--no-log-init')) {
    const number = args
      .map(({ text }, i) => (/^(?:-u|--uid)$/.test(text) ? args[i + 1]?.text : /^--uid=(\d+)/.exec(text)?.[1]))
      .find(text => text !== undefined)
    if (number !== undefined && /^\d+$/.test(number) && Number(number) > 99_999) {
      out.push({
        code: 'UseraddNoLog',
        message: `/var/log/faillog and lastlog grow to hold ${number} users`,
        hint: 'add --no-log-init',
        span,
        fix: [{ span: { start: program.span.end, end: program.span.end }, text: ' --no-log-init' }],
      })
    }
  }
  return [...out, ...checkTls(command), ...checkWget(command)]
}

function checkTls(command: ShellCommand): readonly RuleFinding[] {
  const { name, args, before } = command
  const off =
    name === 'curl'
      ? args.find(({ text }) => text === '--insecure' || /^-[a-zA-Z]*k[a-zA-Z]*$/.test(text))
      : name === 'wget'
        ? args.find(({ text }) => text === '--no-check-certificate')
        : /^(?:apt-get|apt)$/.test(name)
          ? args.find(({ text }) => /^--(?:allow-unauthenticated|force-yes|allow-insecure-repositories)$/.test(text))
          : pipInstall(command)
            ? args.find(({ text }) => text.startsWith('--trusted-host'))
            : name === 'apk'
              ? args.find(({ text }) => text === '--allow-untrusted')
              : /^(?:yum|dnf)$/.test(name)
                ? args.find(({ text }) => text === '--nogpgcheck')
                : name === 'git'
                  ? args.find(({ text }) => /^http\.sslVerify=(?:false|0)$/i.test(text))
                  : name === 'npm'
                    ? (args.find(({ text }) => /^--?strict-ssl=false$/.test(text)) ??
                      (args.some(({ text }) => text === 'strict-ssl')
                        ? args.find(({ text }) => text === 'false')
                        : undefined))
                    : undefined
  const variable = before.find(({ text }) =>
    /^(?:NODE_TLS_REJECT_UNAUTHORIZED=0|GIT_SSL_NO_VERIFY=(?:1|true)|PYTHONHTTPSVERIFY=0)$/.test(text),
  )
  const word = off ?? variable
  if (!word) return []
  return [
    {
      code: 'TlsVerificationOff',
      message: `${word.text} lets anybody between here and there put in what they like`,
      hint: 'install the certificate of your authority (ca-certificates, update-ca-certificates) instead',
      span: word.span,
    },
  ]
}

function checkWget(command: ShellCommand): readonly RuleFinding[] {
  const { name, span, program, args } = command
  if (name !== 'wget' || args.every(({ text }) => text === '--version' || text === '--help')) return []
  const quiet =
    hasFlag(command, '-q', '--quiet', '-nv', '--no-verbose', '--progress', '-o', '--output-file', '-a') ||
    args.some(({ text }) => /^-(?:\w*q\w*|nv)/.test(text))
  if (quiet) return []
  return [
    {
      code: 'WgetProgress',
      message: 'wget writes a line for every 50 kB into the build log',
      hint: 'add --progress=dot:giga, or -nv',
      span,
      fix: [{ span: { start: program.span.end, end: program.span.end }, text: ' --progress=dot:giga' }],
    },
  ]
}

/** Whether pipes of the RUN fail when a part of them fails. */
function checkPipes({ commands, instruction }: RunView, stage: StageView): readonly RuleFinding[] {
  if (instruction.command.form === 'exec') return []
  const pipe = commands.find(({ joint }) => joint === '|')
  if (!pipe) return []
  const sets = commands.some(
    ({ name, args }) =>
      name === 'set' &&
      args
        .map(({ text }) => text)
        .join(' ')
        .includes('pipefail'),
  )
  const shell = [stage, ...stage.below]
    .flatMap(({ instructions }) => instructions)
    .filter(each => each.kind === 'shell')
  const words = shell.at(-1)?.shell.map(({ text }) => text) ?? []
  if (sets || words.some(text => /pipefail/.test(text)) || /pwsh|powershell|cmd(?:\.exe)?$/i.test(words[0] ?? ''))
    return []
  return [
    {
      code: 'Pipefail',
      message: 'when the left side of the pipe fails, the build goes on',
      hint: 'write SHELL ["/bin/bash", "-o", "pipefail", "-c"] before, or set -o pipefail in the RUN',
      span: pipe.span,
    },
  ]
}

const shells = /^(?:sh|bash|ash|dash|zsh|python[\d.]*|node|perl|ruby)$/

function checkCurlShell({ commands }: RunView): readonly RuleFinding[] {
  return commands.flatMap((command, i) => {
    const before = commands[i - 1]
    const piped =
      command.joint === '|' &&
      shells.test(command.name) &&
      before !== undefined &&
      /^(?:curl|wget|fetch)$/.test(before.name)
    const inner =
      shells.test(command.name) && command.args.some(({ text }) => /^\$\((?:curl|wget)\b|^`(?:curl|wget)\b/.test(text))
    if (!piped && !inner) return []
    return [
      {
        code: 'CurlPipeShell',
        message: 'whoever has the server decides what runs here, and half a script runs, too',
        hint: 'download to a file, compare its sha256, then run it (or ADD --checksum)',
        span: command.span,
      },
    ]
  })
}

/** RUN lines that directly follow each other, none of them a heredoc or with mounts. */
function checkConsecutive({ node }: StageView): readonly RuleFinding[] {
  return node.instructions.flatMap((each, i) => {
    const before = node.instructions[i - 1]
    if (each.kind !== 'run' || before?.kind !== 'run') return []
    const plain = [each, before].every(
      ({ mounts, heredocs, network, security }) =>
        mounts.length === 0 && heredocs.length === 0 && !network && !security,
    )
    return plain
      ? [
          {
            code: 'ConsecutiveRuns',
            message: 'each RUN is a layer, and what the next one removes stays in it',
            hint: 'join them with &&, unless the cache shall tell them apart',
            span: each.keyword.span,
          } satisfies RuleFinding,
        ]
      : []
  })
}

/** CMD and ENTRYPOINT that install: slow, and different each time. */
function checkStart({ command }: CommandInstruction): readonly RuleFinding[] {
  const texts: readonly MappedText[] =
    command.form === 'shell'
      ? [command.text]
      : command.args.length > 2 && command.args[0]?.text.endsWith('sh') === true
        ? [command.args[2] as MappedText]
        : [mapText(command.args.map(({ text }) => text).join(' '), command.span.start)]
  return texts.flatMap(text =>
    parseShell(text).flatMap(each => {
      const verb = operands(each)[0]?.text ?? ''
      const installs =
        aptCall(each)?.verb === 'install' ||
        pipInstall(each) !== undefined ||
        (['npm', 'pnpm', 'bundle', 'composer', 'poetry', 'gem', 'yum', 'dnf'].includes(each.name) &&
          ['install', 'ci', 'i', 'update'].includes(verb)) ||
        (each.name === 'yarn' && ['install', 'add'].includes(verb)) ||
        (each.name === 'apk' && verb === 'add')
      if (!installs) return []
      return [
        {
          code: 'InstallAtStart',
          message: `every container runs ${each.name} ${verb} first: slow, not the same twice, and it needs the network`,
          hint: 'install with RUN',
          span: command.span,
        } satisfies RuleFinding,
      ]
    }),
  )
}

/** Both downloaders in what becomes one image. */
function checkDownloaders(stages: readonly StageView[]): readonly RuleFinding[] {
  return stages.flatMap(stage => {
    const uses = commandsIn(stage).filter(({ name }) => name === 'wget' || name === 'curl')
    const [first] = uses
    const other = uses.find(({ name }) => name !== first?.name)
    if (!first || !other) return []
    return [
      {
        code: 'WgetAndCurl',
        message: `${first.name} is used above: one of the two is enough`,
        hint: 'use the one that the base image has',
        span: other.program.span,
      } satisfies RuleFinding,
    ]
  })
}
