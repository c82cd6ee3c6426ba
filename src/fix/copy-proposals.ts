import type { CopyInstruction } from '#dockerfile'
import type { RunView, ShellCommand, StageView } from '#lint'
import { isChain, withFlag, withoutCommand } from './edit-run.ts'
import {
  absolutePath,
  type Change,
  changed,
  copiedPaths,
  copyTargets,
  directoryAt,
  type FixSubject,
  lineAt,
  type Proposal,
  wholeLines,
} from './proposal.ts'

/** COPY, then RUN rm: a bind mount brings the file without storing it. */
export function bindMounts({ tree, stages }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  return stages.flatMap(stage =>
    stage.runs.flatMap(run => {
      if (!isChain(run)) return []
      return run.commands.flatMap(command => {
        if (command.name !== 'rm') return []
        return command.args.flatMap(word => {
          const path = absolutePath(word.text, directoryAt(stage, run.position))
          const found = word.text.startsWith('-') || path === undefined ? undefined : copyOf(stage, run.position, path)
          if (!found || path === undefined) return []
          const mount = `--mount=type=bind,source=${found.source},target=${path}`
          const others = command.args.filter(each => !each.text.startsWith('-')).length > 1
          const removal: Change = others
            ? { start: word.span.start - 1, end: word.span.end, text: '' }
            : withoutCommand(text, run, command)
          const onlyRemoves = !others && run.commands.length === 1
          const users = stage.runs.filter(
            each =>
              each.position > found.position &&
              each.position <= run.position &&
              mentions(each, path) &&
              !(each === run && onlyRemoves),
          )
          const name = word.text
          return [
            {
              kind: 'bind-mount',
              title: `${name} is copied, used, and removed by a later layer: it stays in the image. Mount it where it is used.`,
              line: lineAt(text, found.copy.span.start),
              dockerfile: changed(text, [
                wholeLines(text, found.copy.span),
                removal,
                ...users.map(each => withFlag(each.instruction, mount)),
              ]),
              differs: [],
              keepsTree: true,
              key: `bind-mount ${path}`,
            } satisfies Proposal,
          ]
        })
      })
    }),
  )
}

function mentions({ instruction }: RunView, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return instruction.text.text.includes(name)
}

/** The COPY of one file or directory, without flags, that made exactly this path. */
function copyOf(
  stage: StageView,
  before: number,
  path: string,
): { readonly copy: CopyInstruction; readonly position: number; readonly source: string } | undefined {
  for (let position = before - 1; position >= 0; position--) {
    const each = stage.instructions[position]
    if (each?.kind !== 'copy' || each.from || each.flags.length > 0 || each.sources.length !== 1) continue
    const [source] = copiedPaths(each)
    if (
      source === undefined ||
      /[*?[$]/.test(source) ||
      !copyTargets(each, directoryAt(stage, position)).includes(path)
    )
      continue
    return { copy: each, position, source: source.replace(/^(?:\.?\/)+/, '') }
  }
  return undefined
}

/** COPY, then RUN chown or chmod: COPY --chown stores the files once. */
export function ownedCopies({ tree, stages }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  return stages.flatMap(stage =>
    stage.runs.flatMap(run =>
      isChain(run) ? run.commands.flatMap(command => ownedCopy(command, { text, stage, run })) : [],
    ),
  )
}

function ownedCopy(
  command: ShellCommand,
  { text, stage, run }: { readonly text: string; readonly stage: StageView; readonly run: RunView },
): readonly Proposal[] {
  const flag = command.name === 'chown' ? 'chown' : command.name === 'chmod' ? 'chmod' : undefined
  const [owner, ...targets] = command.args.filter(word => !word.text.startsWith('-'))
  const recursive = command.args.some(word => /^-\w*R|^--recursive$/.test(word.text))
  if (flag === undefined || !owner || owner.variable || (flag === 'chmod' && !/^[0-7]{3,4}$/.test(owner.text)))
    return []
  const directory = directoryAt(stage, run.position)
  const changes: Change[] = []
  for (const { text: target } of targets) {
    const path = absolutePath(target, directory)
    if (path === undefined || path === '/') return []
    const copies = stage.instructions.flatMap((each, position) => {
      if (each.kind !== 'copy' || position >= run.position || each[flag]) return []
      const [to, ...names] = copyTargets(each, directoryAt(stage, position))
      const isBelow = (one: string | undefined): boolean =>
        one === path || (recursive && one?.startsWith(`${path}/`) === true)
      // All that the COPY brings has to get this owner.
      const lies = isBelow(to) || (names.length > 0 && names.every(isBelow))
      return lies ? [{ copy: each, position }] : []
    })
    const [first] = copies
    if (!first || (flag === 'chown' && isMadeBetween(owner.text, first.position, { stage, run, command }))) return []
    changes.push(...copies.map(({ copy }) => withFlag(copy, `--${flag}=${owner.text}`)))
    // The directory itself was made by WORKDIR, for root: its own entry is all that has to change.
    const made = stage.instructions
      .slice(0, first.position)
      .some((each, i) => each.kind === 'workdir' && absolutePath(each.value.text, directoryAt(stage, i)) === path)
    const at = wholeLines(text, first.copy.span).start
    if (made) changes.push({ start: at, end: at, text: `RUN ${command.name} ${owner.text} ${path}\n` })
  }
  return [
    {
      kind: 'set-owner',
      title: `${command.name} in a later layer stores every file that it changes a second time. COPY --${flag} stores it once.`,
      line: lineAt(text, command.span.start),
      dockerfile: changed(text, [...changes, withoutCommand(text, run, command)]),
      differs: [],
      keepsTree: true,
      key: `set-owner ${text.slice(command.span.start, command.span.end)}`,
    },
  ]
}

/** Whether the user or group of an owner is made behind an instruction, so that it cannot have that owner yet. */
function isMadeBetween(
  owner: string,
  position: number,
  { stage, run, command }: { readonly stage: StageView; readonly run: RunView; readonly command: ShellCommand },
): boolean {
  const names = owner.split(':').filter(name => /\D/.test(name))
  const makes = ({ name, args }: ShellCommand): boolean =>
    /^(?:user|group)add$|^add(?:user|group)$/.test(name) && args.some(({ text }) => names.includes(text))
  return stage.runs.some(
    each =>
      each.position > position &&
      each.position <= run.position &&
      each.commands.some(one => makes(one) && (each !== run || one.span.start < command.span.start)),
  )
}

/** Lists of dependencies, by what installs from them. */
const lists: ReadonlyMap<string, readonly string[]> = new Map([
  ['npm', ['package.json', 'package-lock.json', 'npm-shrinkwrap.json', '.npmrc']],
  ['yarn', ['package.json', 'yarn.lock', '.yarnrc', '.yarnrc.yml']],
  ['pnpm', ['package.json', 'pnpm-lock.yaml', '.npmrc']],
  ['bundle', ['Gemfile', 'Gemfile.lock']],
  ['composer', ['composer.json', 'composer.lock']],
  ['poetry', ['pyproject.toml', 'poetry.lock']],
  ['go', ['go.mod', 'go.sum']],
])

/** COPY . before an install: first only the lists of dependencies. */
export function earlierInstalls({ tree, stages, findings, hasFile }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  const wrong = new Set(findings.filter(({ code }) => code === 'CopyAllBeforeInstall').map(({ at }) => at?.span.start))
  return stages.flatMap(stage =>
    stage.instructions.flatMap((copy, position): readonly Proposal[] => {
      if (
        copy.kind !== 'copy' ||
        !copy.sources.some(source => source.kind === 'path' && wrong.has(source.path.span.start))
      )
        return []
      const run = stage.runs.find(each => each.position === position + 1)
      const [command] = run?.commands ?? []
      if (!run || !command || run.commands.length !== 1) return []
      const names = /^pip|^python/.test(command.name)
        ? command.args
            .filter((_, i) => /^(?:-r|--requirement)$/.test(command.args[i - 1]?.text ?? ''))
            .map(word => word.text)
        : lists.get(command.name)
      const present = (names ?? []).filter(name => hasFile(name))
      if (present.length === 0) return []
      const target = copy.destination.text === '.' ? './' : copy.destination.text.replace(/\/?$/, '/')
      const at = wholeLines(text, copy.span).start
      const install = text.slice(run.instruction.span.start, run.instruction.span.end)
      return [
        {
          kind: 'reorder',
          title:
            'Any changed file makes the dependencies be installed anew. Copy their lists and install before the rest is copied.',
          line: lineAt(text, copy.span.start),
          dockerfile: changed(text, [
            { start: at, end: at, text: `COPY ${present.join(' ')} ${target}\n${install}\n` },
            wholeLines(text, run.instruction.span),
          ]),
          differs: [],
          keepsTree: true,
          key: `reorder ${install}`,
        },
      ]
    }),
  )
}

/** What is rarely meant to be in an image, and what it says when it is; a pattern without `**` is that of the context's top. */
const unwanted: readonly (readonly [pattern: string, what: string])[] = [
  ['.git', 'the repository with its history'],
  ['**/node_modules', 'modules of this machine, which the image installs itself'],
  ['**/__pycache__', 'compiled files of this machine'],
  ['.venv', 'the virtual environment of this machine'],
  ['**/.env', 'settings with secrets'],
  ['**/.DS_Store', 'a file of the desktop'],
  ['coverage', 'reports of tests'],
  ['**/npm-debug.log', 'a log'],
]

/** COPY . with what does not belong into an image. */
export function ignoreLines(subject: FixSubject): readonly Proposal[] {
  const { tree, stages, ignore } = subject
  const { text } = tree.source
  const copy = stages
    .flatMap(({ instructions }) => instructions)
    .find(
      (each): each is CopyInstruction =>
        each.kind === 'copy' && !each.from && copiedPaths(each).some(path => /^\.?\/?\.?$/.test(path)),
    )
  if (!copy) return []
  const known = new Set(ignore.split('\n').map(line => line.trim().replace(/^\/|\/$/g, '')))
  const installs = stages.some(({ runs }) =>
    runs.some(({ commands }) => commands.some(each => ['npm', 'yarn', 'pnpm'].includes(each.name))),
  )
  return unwanted.flatMap(([pattern, what]): readonly Proposal[] => {
    const name = pattern.replace('**/', '')
    if (known.has(pattern) || known.has(`**/${name}`) || (name === 'node_modules' && !installs)) return []
    if (!isThere(name, subject)) return []
    return [
      {
        kind: 'dockerignore',
        title: `${name} of the build context (${what}) is copied into the image. Leave it out in .dockerignore.`,
        line: lineAt(text, copy.span.start),
        dockerfile: text,
        ignore: `${ignore}${ignore === '' || ignore.endsWith('\n') ? '' : '\n'}${pattern}\n`,
        differs: [`/${name}/`],
        keepsTree: true,
        key: `dockerignore ${pattern}`,
      },
    ]
  })
}

/** At the context's top, or, where the image is known, anywhere in what its COPY and ADD brought. */
function isThere(name: string, { hasFile, ignore, measured }: FixSubject): boolean {
  const isIgnoredAtTop = ignore.split('\n').some(line => line.trim().replace(/^\/|\/$/g, '') === name)
  if (hasFile(name) && !isIgnoredAtTop) return true
  if (!measured || ['.git', '.venv', 'coverage'].includes(name)) return false
  const { trace, analysis } = measured.study
  return trace.copies.some(({ layer, entry }) => {
    const report = analysis.layers[layer]
    const isCopied = report?.inBase === false && /^(COPY|ADD)$/.test(report.instruction.keyword)
    return isCopied && !/--from[= ]/.test(report.instruction.text) && `/${entry.path}/`.includes(`/${name}/`)
  })
}
