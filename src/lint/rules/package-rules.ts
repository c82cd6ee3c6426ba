import { hasFlag, operands, type ShellCommand, type ShellWord } from '../shell/shell-command.ts'
import { isPinned } from './apt-rules.ts'
import {
  commandsIn,
  type Edit,
  type RuleFinding,
  type RuleSubject,
  type RunView,
  type StageView,
} from './rule-finding.ts'
import type { RuleName } from './rule-table.ts'

/** Rules about apk, yum, dnf, zypper, pip, npm, yarn, gem, go and their caches. */
export function packageRules({ stages }: RuleSubject): readonly RuleFinding[] {
  return stages.flatMap(stage => [
    ...commandsIn(stage).flatMap(command => [
      ...checkApk(command, command.run),
      ...checkYum(command),
      ...checkPip(command, { stage, run: command.run }),
      ...checkNode(command),
      ...checkOthers(command),
    ]),
    ...stage.runs.flatMap(checkCaches),
  ])
}

const found = (
  code: RuleName,
  span: RuleFinding['span'],
  [message, hint]: readonly [string, string],
  fix?: readonly Edit[],
): RuleFinding => ({ code, message, hint, span, ...(fix && { fix }) })

function unpinned(
  words: readonly ShellWord[],
  code: RuleName,
  { mark, write }: { readonly mark: RegExp; readonly write: string },
): readonly RuleFinding[] {
  return words
    .filter(({ text, variable }) => !variable && !isPinned(text, mark))
    .map(({ text, span }) =>
      found(code, span, [`${text} is installed in whatever version there is today`, `write ${text}${write}`]),
    )
}

/** A cache is mounted where the command would leave its own. */
function mounts({ instruction }: RunView, where: RegExp): boolean {
  return instruction.mounts.some(({ text }) => /type=(?:cache|tmpfs)/.test(text) && where.test(text))
}

function checkApk(command: ShellCommand, run: RunView): readonly RuleFinding[] {
  if (command.name !== 'apk') return []
  const [verb, ...rest] = operands(command, [
    '--repository',
    '-X',
    '--root',
    '-p',
    '--arch',
    '-t',
    '--virtual',
    '--keys-dir',
    '--cache-dir',
  ])
  const out: RuleFinding[] = []
  if (verb?.text === 'upgrade') {
    out.push(
      found('NoUpgrade', command.span, [
        'apk upgrade stores changed packages a second time, and gives another image every day',
        'use a newer base image',
      ]),
    )
  }
  if (verb?.text !== 'add') return out
  const cached = mounts(run, /apk/)
  if (!hasFlag(command, '--no-cache') && !cached) {
    out.push(
      found(
        'ApkNoCache',
        command.span,
        ['apk add keeps its index in the layer', 'write apk add --no-cache, without apk update'],
        [{ span: { start: verb.span.end, end: verb.span.end }, text: ' --no-cache' }],
      ),
    )
  }
  return [
    ...out,
    ...unpinned(
      rest.filter(({ text }) => !text.startsWith('.')),
      'PinApkVersions',
      { mark: /[=<>~]/, write: '=VERSION' },
    ),
  ]
}

const yumNames = ['yum', 'dnf', 'microdnf', 'zypper', 'tdnf']

function checkYum(command: ShellCommand): readonly RuleFinding[] {
  const { name, span } = command
  if (!yumNames.includes(name)) return []
  const [verb, ...rest] = operands(command, [
    '--setopt',
    '--enablerepo',
    '--disablerepo',
    '-c',
    '-x',
    '--exclude',
    '--installroot',
    '--releasever',
    '-r',
    '--repo',
  ])
  const out: RuleFinding[] = []
  if (['update', 'upgrade', 'dist-upgrade', 'dup', 'distro-sync'].includes(verb?.text ?? '') && rest.length === 0) {
    out.push(
      found('NoUpgrade', span, [
        `${name} ${verb?.text} stores changed packages a second time, and gives another image every day`,
        'use a newer base image',
      ]),
    )
  }
  const installs = ['install', 'in', 'groupinstall', 'localinstall', 'reinstall']
  if (!verb || !installs.includes(verb.text)) return out
  const yes = hasFlag(command, '-y', '--assumeyes', '--no-confirm', '-n', '--non-interactive', '--no-interactive')
  if (!yes && name !== 'microdnf') {
    const at = name === 'zypper' ? command.program.span.end : verb.span.end
    out.push(
      found(
        'YumAssumeYes',
        span,
        [
          `${name} install asks before it installs, and nobody answers`,
          `write ${name === 'zypper' ? 'zypper -n install' : `${name} install -y`}`,
        ],
        [{ span: { start: at, end: at }, text: name === 'zypper' ? ' -n' : ' -y' }],
      ),
    )
  }
  const mark = /[=<>]|-\d[\w.]*(?:-[\w.]+)?$|\.rpm$|^@/
  return [...out, ...unpinned(rest, 'PinYumVersions', { mark, write: name === 'zypper' ? '=VERSION' : '-VERSION' })]
}

const pipValued = [
  '-r',
  '--requirement',
  '-c',
  '--constraint',
  '-i',
  '--index-url',
  '--extra-index-url',
  '-f',
  '--find-links',
  '--target',
  '-t',
  '--prefix',
  '--root',
  '--trusted-host',
  '--platform',
  '--python-version',
  '--cache-dir',
  '--proxy',
  '--timeout',
  '--retries',
  '--upgrade-strategy',
  '--log',
  '--progress-bar',
  '--no-binary',
  '--only-binary',
  '-e',
  '--editable',
]

/** `pip install`, `python -m pip install`. */
export function pipInstall(
  command: ShellCommand,
): { readonly verb: ShellWord; readonly rest: ShellCommand['args'] } | undefined {
  const { name, args } = command
  const isPip = /^pip[\d.]*$/.test(name)
  const isModule = /^python[\d.]*$/.test(name) && args[0]?.text === '-m' && args[1]?.text === 'pip'
  if (!isPip && !isModule) return undefined
  const rest = isModule ? args.slice(2) : args
  const [verb] = operands({ ...command, args: rest }, pipValued)
  return verb?.text === 'install' ? { verb, rest } : undefined
}

function checkPip(
  command: ShellCommand,
  { stage, run }: { readonly stage: StageView; readonly run: RunView },
): readonly RuleFinding[] {
  const call = pipInstall(command)
  if (!call) return []
  const own = { ...command, args: call.rest }
  const out: RuleFinding[] = []
  const env = stage.instructions.some(
    each =>
      each.kind === 'env' &&
      each.pairs.some(
        ({ name, value }) =>
          name.text === 'PIP_NO_CACHE_DIR' && !/^(?:0|false|off|no)?$/i.test(value.text.replace(/["']/g, '')),
      ),
  )
  const before = command.before.some(({ text }) => /^PIP_NO_CACHE_DIR=(?!0|off|false)/.test(text))
  if (!hasFlag(own, '--no-cache-dir') && !env && !before && !mounts(run, /pip|\.cache/)) {
    out.push(
      found(
        'PipNoCacheDir',
        command.span,
        [
          'pip keeps what it downloads in the layer',
          'add --no-cache-dir, or RUN --mount=type=cache,target=/root/.cache/pip',
        ],
        [{ span: { start: call.verb.span.end, end: call.verb.span.end }, text: ' --no-cache-dir' }],
      ),
    )
  }
  const words = operands(own, pipValued).slice(1)
  const constrained = call.rest.some(({ text }) => /^(?:-c|--constraint)/.test(text))
  return constrained
    ? out
    : [
        ...out,
        ...unpinned(words, 'PinPipVersions', {
          mark: /==|@|===|<|>|~=|\.whl$|\.tar\.gz$|:\/\/|^git\+/,
          write: '==VERSION',
        }),
      ]
}

function checkNode(command: ShellCommand): readonly RuleFinding[] {
  const { name, span } = command
  if (name !== 'npm') return []
  const [verb, ...rest] = operands(command, [
    '--prefix',
    '-C',
    '--registry',
    '--loglevel',
    '--cache',
    '--omit',
    '--workspace',
    '-w',
  ])
  if (!verb || !['install', 'i', 'add', 'in'].includes(verb.text)) return []
  if (rest.length === 0) {
    if (hasFlag(command, '-g', '--global')) return []
    return [
      found('NpmCi', span, [
        'npm install may change the lock file, and installs what it likes then',
        'write npm ci, with package-lock.json copied before',
      ]),
    ]
  }
  const names = rest.filter(({ text }) => !/^(?:git|https?|file|github):|\.tgz$|^git\+/.test(text))
  return names
    .filter(({ text, variable }) => !variable && !/.@./.test(text) && !/^[./~$]/.test(text))
    .map(word =>
      found('PinNpmVersions', word.span, [
        `${word.text} is installed in whatever version there is today`,
        `write ${word.text}@VERSION`,
      ]),
    )
}

function checkOthers(command: ShellCommand): readonly RuleFinding[] {
  const { name, args } = command
  if (name === 'gem' && /^(?:install|i)$/.test(args[0]?.text ?? '')) {
    if (hasFlag(command, '-v', '--version', '--file', '-g')) return []
    const words = operands({ ...command, args: args.slice(1) }, [
      '-i',
      '--install-dir',
      '-n',
      '--bindir',
      '--source',
      '-s',
      '--document',
    ])
    return unpinned(words, 'PinGemVersions', { mark: /:|\.gem$/, write: ':VERSION' })
  }
  if (name === 'go' && args[0]?.text === 'install') {
    const words = operands({ ...command, args: args.slice(1) }, ['-ldflags', '-tags', '-o', '-gcflags', '-C', '-mod'])
    return words
      .filter(
        ({ text, variable }) =>
          !variable &&
          (/@latest$|@(?:main|master|upgrade)$/.test(text) ||
            (/^[a-z0-9-]+\.[a-z]{2,}\//.test(text) && !text.includes('@'))),
      )
      .map(word =>
        found('PinGoVersions', word.span, [`${word.text} is whatever version there is today`, 'write MODULE@vVERSION']),
      )
  }
  return []
}

/** Caches that the same RUN should empty: the command that fills them, what empties them, where they are. */
const caches: readonly {
  readonly code: RuleName
  readonly fills: (command: ShellCommand) => boolean
  readonly empties: (command: ShellCommand) => boolean
  readonly mount: RegExp
  readonly hint: string
  readonly append?: string
}[] = [
  {
    code: 'YarnCacheClean',
    fills: ({ name, args }) =>
      name === 'yarn' &&
      (args.length === 0 ||
        ['install', 'add', 'global'].includes(args[0]?.text ?? '') ||
        args[0]?.text.startsWith('--') === true),
    empties: ({ name, args }) =>
      (name === 'yarn' && args[0]?.text === 'cache') || (name === 'rm' && args.some(({ text }) => /yarn/.test(text))),
    mount: /yarn/,
    hint: 'end the RUN with && yarn cache clean, or mount a cache at /usr/local/share/.cache/yarn',
    append: ' && yarn cache clean',
  },
  {
    code: 'YumClean',
    fills: command =>
      yumNames.includes(command.name) &&
      operands(command).some(({ text }) => ['install', 'in', 'groupinstall'].includes(text)),
    empties: ({ name, args }) =>
      (yumNames.includes(name) && args.some(({ text }) => text === 'clean' || text === 'cc')) ||
      (name === 'rm' && args.some(({ text }) => /\/var\/cache\/(?:yum|dnf|zypp|tdnf|libdnf)/.test(text))),
    mount: /\/var\/cache/,
    hint: 'end the RUN with && dnf clean all (yum clean all, zypper clean)',
  },
  {
    code: 'CacheLeft',
    fills: ({ name, args }) => name === 'npm' && ['ci', 'install', 'i'].includes(args[0]?.text ?? ''),
    empties: ({ name, args }) =>
      (name === 'npm' && args[0]?.text === 'cache') || (name === 'rm' && args.some(({ text }) => /\.npm\b/.test(text))),
    mount: /npm/,
    hint: 'RUN --mount=type=cache,target=/root/.npm, or end the RUN with && npm cache clean --force',
  },
  {
    code: 'CacheLeft',
    fills: ({ name, args }) => name === 'conda' && ['install', 'create', 'env'].includes(args[0]?.text ?? ''),
    empties: ({ name, args }) => name === 'conda' && args[0]?.text === 'clean',
    mount: /conda/,
    hint: 'end the RUN with && conda clean -afy',
  },
  {
    code: 'CacheLeft',
    fills: ({ name, args }) =>
      name === 'composer' &&
      ['install', 'require', 'update'].includes(args.find(({ text }) => !text.startsWith('-'))?.text ?? ''),
    empties: ({ name, args }) =>
      (name === 'composer' && args.some(({ text }) => /^clear-?cache$/.test(text))) ||
      (name === 'rm' && args.some(({ text }) => /composer/.test(text))),
    mount: /composer/,
    hint: 'end the RUN with && composer clear-cache, or mount a cache at /tmp/cache',
  },
  {
    code: 'CacheLeft',
    fills: ({ name, args }) => name === 'apk' && args.some(({ text }) => text === 'update'),
    empties: ({ name, args }) => name === 'rm' && args.some(({ text }) => /\/var\/cache\/apk/.test(text)),
    mount: /apk/,
    hint: 'leave apk update out and write apk add --no-cache',
  },
]

function checkCaches({ commands, instruction }: RunView): readonly RuleFinding[] {
  return caches.flatMap(({ code, fills, empties, mount, hint, append }) => {
    const fill = commands.find(fills)
    if (
      !fill ||
      commands.some(empties) ||
      instruction.mounts.some(({ text }) => /type=cache/.test(text) && mount.test(text))
    )
      return []
    const last = commands.findLast(({ depth }) => depth === 0)
    const plain = commands.every(({ joint }) => joint === '' || joint === '&&')
    const fix =
      append !== undefined && last && plain
        ? [{ span: { start: last.span.end, end: last.span.end }, text: append }]
        : undefined
    return [found(code, fill.span, [`${fill.name} leaves what it downloaded in the layer`, hint], fix)]
  })
}
