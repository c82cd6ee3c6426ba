import type { CopyInstruction } from '#dockerfile'
import { pipInstall } from './package-rules.ts'
import { operands } from '../shell/shell-command.ts'
import { commandsIn, type RuleFinding, type RuleSubject, type RunView, type StageView } from './rule-finding.ts'

/** Rules about COPY and ADD, and what RUN does with what they brought. */
export function copyRules(subject: RuleSubject): readonly RuleFinding[] {
  return subject.stages.flatMap(stage => [
    ...stage.instructions.flatMap((each, position) =>
      each.kind === 'copy' || each.kind === 'add' ? checkCopy(each, { subject, stage, position }) : [],
    ),
    ...stage.runs.flatMap(run => [...checkChown(run, stage), ...checkRemoved(run, stage)]),
  ])
}

interface CopyPlace {
  readonly subject: RuleSubject
  readonly stage: StageView
  readonly position: number
}

/** Sources that are paths of the context. */
export function pathsOf({
  sources,
}: CopyInstruction): readonly { readonly text: string; readonly span: RuleFinding['span'] }[] {
  return sources.flatMap(source =>
    source.kind === 'path' ? [{ text: source.path.text.replace(/^["']|["']$/g, ''), span: source.path.span }] : [],
  )
}

const isRemote = (path: string): boolean => /^(?:https?|ftp|git|ssh):\/\/|^git@|\.git(?:#|$)/.test(path)
const isPacked = (path: string): boolean =>
  /\.(?:tar|tgz|tbz2?|txz|tzst|(?:tar\.)?(?:gz|bz2|xz|zst|lzma|Z))$/i.test(path)

function checkCopy(copy: CopyInstruction, place: CopyPlace): readonly RuleFinding[] {
  return [
    ...checkAdd(copy),
    ...checkFrom(copy, place),
    ...checkTarget(copy, place),
    ...checkOrder(copy, place),
    ...checkArchive(copy, place),
  ]
}

function checkAdd(copy: CopyInstruction): readonly RuleFinding[] {
  if (copy.kind !== 'add') return []
  const paths = pathsOf(copy)
  const remote = paths.find(({ text }) => /^https?:\/\//.test(text) && !/\.git(?:#|$)/.test(text))
  if (remote && !copy.checksum) {
    return [
      {
        code: 'AddWithoutChecksum',
        message: 'what this address gives may change, and nobody notices',
        hint: 'write ADD --checksum=sha256:… and the address',
        span: remote.span,
      },
    ]
  }
  if (
    copy.unpack !== undefined ||
    copy.keepGitDir ||
    paths.some(({ text }) => isRemote(text) || isPacked(text) || text.includes('$'))
  )
    return []
  const wild = paths.some(({ text }) => /[*?[]/.test(text))
  return [
    {
      code: 'UseCopy',
      message: 'ADD also unpacks archives and downloads: for files of the context COPY says what is meant',
      hint: 'write COPY',
      span: copy.keyword.span,
      ...(!wild && { fix: [{ span: copy.keyword.span, text: copy.keyword.text === 'add' ? 'copy' : 'COPY' }] }),
    },
  ]
}

function checkFrom({ from }: CopyInstruction, { subject, stage }: CopyPlace): readonly RuleFinding[] {
  if (!from || from.text.includes('$')) return []
  const name = from.text.toLowerCase()
  if (name === stage.node.name || name === String(stage.node.position)) {
    return [
      {
        code: 'CopyFromSelf',
        message: `${from.text} is the stage that is being built`,
        hint: 'name an earlier stage',
        span: from.span,
      },
    ]
  }
  const known = /^\d+$/.test(name)
    ? Number(name) < stage.node.position
    : subject.stages.some(other => other.node.name === name && other.node.position < stage.node.position)
  if (known || /[:@/.]/.test(name)) return []
  return [
    {
      code: 'CopyFromUnknown',
      message: `no stage above is called ${from.text}: it is taken as an image`,
      hint: 'name a stage, or write the image with its tag',
      span: from.span,
    },
  ]
}

function checkTarget({ destination }: CopyInstruction, { stage, position }: CopyPlace): readonly RuleFinding[] {
  const path = destination.text.replace(/^["']/, '')
  if (/^(?:[/\\$]|[A-Za-z]:)/.test(path)) return []
  const isWorkdir = (each: StageView['instructions'][number]): boolean => each.kind === 'workdir'
  if (
    stage.instructions.slice(0, position).some(isWorkdir) ||
    stage.below.some(({ instructions }) => instructions.some(isWorkdir))
  )
    return []
  return [
    {
      code: 'CopyRelative',
      message: `where ${destination.text} lies depends on the base image: there is no WORKDIR`,
      hint: 'write an absolute path, or WORKDIR before',
      span: destination.span,
    },
  ]
}

/** Installs that depend on a few files only. */
function installs(run: RunView): RuleFinding['span'] | undefined {
  const command = run.commands.find(each => {
    const [verb] = operands(each)
    const text = verb?.text ?? ''
    if (pipInstall(each)) return each.args.some(({ text: word }) => /^(?:-r|--requirement)/.test(word))
    switch (each.name) {
      case 'npm':
        return ['ci', 'install', 'i'].includes(text) && operands(each).length === 1
      case 'yarn':
        return text === '' || text === 'install'
      case 'pnpm':
      case 'bundle':
      case 'composer':
      case 'poetry':
      case 'pipenv':
        return ['install', 'i'].includes(text)
      case 'go':
        return text === 'mod' && each.args[1]?.text === 'download'
      case 'cargo':
        return text === 'fetch'
      case 'mvn':
        return each.args.some(({ text: word }) => word.startsWith('dependency:'))
      default:
        return false
    }
  })
  return command?.span
}

/** All of the context before the first install that needs only a list of dependencies. */
function checkOrder(copy: CopyInstruction, { stage, position }: CopyPlace): readonly RuleFinding[] {
  if (copy.from || !pathsOf(copy).some(({ text }) => /^\.?\/?\.?$/.test(text))) return []
  const next = stage.runs.find(run => run.position > position && installs(run) !== undefined)
  const before = stage.runs.some(run => run.position < position && installs(run) !== undefined)
  if (!next || before) return []
  const source = pathsOf(copy).find(({ text }) => /^\.?\/?\.?$/.test(text))
  return [
    {
      code: 'CopyAllBeforeInstall',
      message: 'whenever any file changes, the dependencies are installed anew',
      hint: 'first COPY only the lists of dependencies (such as package.json and its lock file), then RUN the install, then COPY the rest',
      span: source?.span ?? copy.keyword.span,
    },
  ]
}

/** COPY x.tar.gz, then RUN tar -x x.tar.gz. */
function checkArchive(copy: CopyInstruction, { stage, position }: CopyPlace): readonly RuleFinding[] {
  if (copy.kind !== 'copy' || copy.from) return []
  return pathsOf(copy).flatMap(({ text, span }) => {
    if (!isPacked(text)) return []
    const name = text.slice(text.lastIndexOf('/') + 1)
    const unpacks = commandsIn(stage).some(
      ({ name: program, args, run }) =>
        run.position > position &&
        ['tar', 'gunzip', 'unxz', 'bunzip2'].includes(program) &&
        args.some(word => word.text.endsWith(name)),
    )
    if (!unpacks) return []
    return [
      {
        code: 'AddForArchive',
        message: `${name} stays in its layer when RUN unpacks it`,
        hint: 'ADD unpacks archives of the context itself',
        span,
      },
    ]
  })
}

/** The paths that COPY and ADD of a stage made before a position, absolute where that can be told. */
function copiedBefore({ instructions }: StageView, position: number): readonly string[] {
  let directory = '/'
  return instructions.slice(0, position).flatMap(each => {
    if (each.kind === 'workdir') directory = absolute(each.value.text, directory)
    if (each.kind !== 'copy' && each.kind !== 'add') return []
    const target = absolute(each.destination.text, directory)
    const names = pathsOf(each).map(({ text }) => text.slice(text.replace(/\/$/, '').lastIndexOf('/') + 1))
    const into = each.destination.text.endsWith('/') || each.destination.text === '.' || names.length > 1
    return [target, ...(into ? names.map(name => `${target === '/' ? '' : target}/${name}`) : [])]
  })
}

function absolute(path: string, directory: string): string {
  const plain = path.replace(/^["']|["']$/g, '').replace(/\/+$/, '')
  if (plain.startsWith('/') || plain.startsWith('$')) return plain === '' ? '/' : plain
  const rest = plain.replace(/^\.(?:\/|$)/, '')
  if (rest === '') return plain === '' && path.startsWith('/') ? '/' : directory
  return `${directory === '/' ? '' : directory}/${rest}`
}

function workdirBefore({ instructions }: StageView, position: number): string {
  return instructions
    .slice(0, position)
    .reduce((directory, each) => (each.kind === 'workdir' ? absolute(each.value.text, directory) : directory), '/')
}

function checkChown({ commands, position }: RunView, stage: StageView): readonly RuleFinding[] {
  const copied = copiedBefore(stage, position)
  const directory = workdirBefore(stage, position)
  return commands.flatMap(command => {
    if (!['chown', 'chgrp', 'chmod'].includes(command.name)) return []
    const [, ...targets] = operands(command)
    const touches = targets.some(({ text }) => {
      const target = absolute(text, directory)
      return (
        target !== '/' &&
        copied.some(path => path === target || path.startsWith(`${target}/`) || target.startsWith(`${path}/`))
      )
    })
    if (!touches) return []
    const flag = command.name === 'chmod' ? '--chmod=MODE' : '--chown=OWNER:GROUP'
    return [
      {
        code: 'ChownAfterCopy',
        message: `${command.name} stores every file that it changes a second time`,
        hint: `write COPY ${flag} and leave this command out`,
        span: command.span,
      },
    ]
  })
}

function checkRemoved({ commands, position }: RunView, stage: StageView): readonly RuleFinding[] {
  const copied = copiedBefore(stage, position)
  const directory = workdirBefore(stage, position)
  return commands.flatMap(command => {
    if (command.name !== 'rm') return []
    const gone = operands(command).find(
      ({ text, variable }) =>
        !variable && copied.includes(absolute(text, directory)) && absolute(text, directory) !== '/',
    )
    if (!gone) return []
    return [
      {
        code: 'RemovedLater',
        message: `${gone.text} stays in the layer that copied it, and so in the image`,
        hint: 'do not copy it (.dockerignore, --exclude), or use RUN --mount=type=bind where it is needed',
        span: gone.span,
      },
    ]
  })
}
