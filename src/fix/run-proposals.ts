import type { RunView, ShellCommand, StageView } from '#lint'
import { withFlag } from './edit-run.ts'
import { changed, type FixSubject, lineAt, type Proposal } from './proposal.ts'

/** What a rule's change takes out of the image. */
const cleaned: Readonly<Record<string, readonly string[]>> = {
  AptCleanLists: ['var/lib/apt/lists', 'var/cache/apt'],
  ApkNoCache: ['var/cache/apk', 'etc/apk/cache', 'lib/apk/db'],
  PipNoCacheDir: ['root/.cache'],
  YarnCacheClean: ['usr/local/share/.cache', 'root/.cache'],
}

/** Caches that the same RUN should not keep: the changes that lint knows. */
export function cleanerRuns({ tree, findings }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  return findings.flatMap(({ code, message, fix, at }): readonly Proposal[] => {
    const differs = cleaned[code]
    if (differs === undefined || !fix || !at) return []
    return [
      {
        kind: 'clean-in-run',
        title: `${message[0]?.toUpperCase()}${message.slice(1)}. Leave it out in the same RUN.`,
        line: lineAt(text, at.span.start),
        dockerfile: changed(
          text,
          fix.map(({ span, text: piece }) => ({ ...span, text: piece })),
        ),
        differs,
        keepsTree: true,
        key: `clean-in-run ${text.slice(at.span.start, at.span.end)}`,
      },
    ]
  })
}

/** Programs that keep what they downloaded, and where. */
const caches: readonly (readonly [uses: (command: ShellCommand) => boolean, directory: string])[] = [
  [({ name, args }) => name === 'npm' && ['ci', 'install', 'i'].includes(args[0]?.text ?? ''), '/root/.npm'],
  [
    ({ name, args }) => name === 'go' && ['build', 'install', 'mod'].includes(args[0]?.text ?? ''),
    '/root/.cache/go-build',
  ],
  [
    ({ name, args }) => name === 'cargo' && ['build', 'install', 'fetch'].includes(args[0]?.text ?? ''),
    '/usr/local/cargo/registry',
  ],
  [({ name }) => name === 'composer', '/root/.composer/cache'],
  [({ name }) => name === 'mvn', '/root/.m2/repository'],
]

/** Caches that a mount keeps for the next build, outside of the image. */
export function cacheMounts({ tree, stages }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  return stages.flatMap(({ runs }) =>
    runs.flatMap(({ instruction, commands }) =>
      caches.flatMap(([uses, directory]): readonly Proposal[] => {
        const command = commands.find(uses)
        if (
          !command ||
          instruction.mounts.some(({ text: mount }) => mount.includes(directory)) ||
          commands.some(({ args }) => args.some(word => word.text === 'cache'))
        )
          return []
        return [
          {
            kind: 'cache-mount',
            title: `${command.name} keeps what it downloads in ${directory}. A cache mount keeps it for the next build, outside of the image.`,
            line: lineAt(text, command.span.start),
            dockerfile: changed(text, [withFlag(instruction, `--mount=type=cache,target=${directory}`)]),
            differs: [directory.slice(1)],
            keepsTree: true,
            key: `cache-mount ${directory} ${text.slice(command.span.start, command.span.end)}`,
          },
        ]
      }),
    ),
  )
}

/** Commands that take away or store again what an earlier layer holds. */
function undoes({ name, args }: ShellCommand): boolean {
  if (['rm', 'rmdir', 'unlink', 'chown', 'chgrp', 'chmod', 'mv', 'strip', 'truncate'].includes(name)) return true
  return (
    args.some(({ text }) => ['clean', 'purge', 'remove', 'autoremove', 'del', 'uninstall', '-i'].includes(text)) &&
    !['echo', 'printf', 'grep'].includes(name)
  )
}

/** Whether a RUN does nothing but fetch the lists that the next one installs from. */
function fetchesFor(first: RunView, second: RunView): boolean {
  const isApt = (verb: string, { name, args }: ShellCommand): boolean =>
    /^apt(?:-get)?$/.test(name) && args.find(({ text }) => !text.startsWith('-'))?.text === verb
  return first.commands.every(each => isApt('update', each)) && second.commands.some(each => isApt('install', each))
}

/** How many of a row of RUN belong into one layer: up to the last that undoes what an earlier one did; 1 for none. */
function togetherIn(row: readonly RunView[]): number {
  const last = row.findLastIndex((run, i) => i > 0 && run.commands.some(undoes))
  const [first, second] = row
  if (last < 1) return first && second && fetchesFor(first, second) ? 2 : 1
  return last + 1
}

/** Several RUN in a row, of which a later one undoes what an earlier one did, or uses package lists of its own: one layer. */
export function joinedRuns({ tree, stages }: FixSubject): readonly Proposal[] {
  const { text } = tree.source
  return stages.flatMap(stage => {
    if (stage.instructions.some(({ kind }) => kind === 'shell')) return []
    return stage.runs.flatMap((first): readonly Proposal[] => {
      const row = rowFrom(stage, first)
      const second = row[1]
      if (!second || togetherIn(row) === 1 || isInside(stage, first)) return []
      return [
        {
          kind: 'join-runs',
          title: fetchesFor(first, second)
            ? 'The package lists of this RUN get old in the cache, and the next one stores more beside them. Join them.'
            : 'A later RUN takes away or changes what this one wrote, and both versions stay in the image. Join them.',
          line: lineAt(text, first.instruction.span.start),
          dockerfile: joined(text, first, second),
          differs: [],
          keepsTree: true,
          key: `join-runs ${text.slice(first.instruction.span.start, first.instruction.span.end)}`,
        },
      ]
    })
  })
}

/** Whether it follows another RUN of its row, which then begins it. */
function isInside(stage: StageView, run: RunView): boolean {
  const before = stage.runs.find(({ position }) => position === run.position - 1)
  if (!before) return false
  const row = rowFrom(stage, before)
  return row.includes(run) && togetherIn(row) > 1
}

/** A RUN and those that directly follow it, with the same flags, all in shell form without heredocs. */
function rowFrom({ instructions, runs }: StageView, first: RunView): readonly RunView[] {
  const flags = ({ instruction }: RunView): string =>
    instruction.flags.map(({ name, value }) => `${name}=${value?.text ?? ''}`).join(' ')
  const row: RunView[] = []
  for (let position = first.position; position < instructions.length; position++) {
    const run = runs.find(each => each.position === position)
    if (
      !run ||
      run.instruction.command.form !== 'shell' ||
      run.instruction.heredocs.length > 0 ||
      flags(run) !== flags(first)
    )
      break
    row.push(run)
  }
  return row
}

/** Shell state that the next command would inherit. */
const stateful =
  /(?:^|[;&|(]\s*)(?:cd|export|set|umask|unset|alias|source|\.|trap|exec|exit|[A-Za-z_]\w*=\S*\s*(?:[;&]|$))(?:\s|$)/

/** Comments between the two stay, as lines of their own inside the continued instruction. */
function joined(text: string, first: RunView, second: RunView): string {
  const [one, two] = [first, second].map(({ instruction }) => instruction.command.span) as [
    { start: number; end: number },
    { start: number; end: number },
  ]
  const between = text.slice(one.end, two.start)
  const comments = between.split('\n').filter(line => /^\s*#/.test(line))
  const inner = text.slice(one.start, one.end)
  const wrapFirst = stateful.test(inner)
  const wrapSecond =
    second.commands.some(({ joint }) => joint === '||' || joint === ';' || joint === '&') ||
    stateful.test(text.slice(two.start, two.end))
  const joint = ` \\\n${comments.map(line => `${line}\n`).join('')} && `
  return changed(text, [
    ...(wrapFirst ? [{ start: one.start, end: one.start, text: '( ' }] : []),
    { start: one.end, end: two.start, text: `${wrapFirst ? ' )' : ''}${joint}${wrapSecond ? '( ' : ''}` },
    ...(wrapSecond ? [{ start: two.end, end: two.end, text: ' )' }] : []),
  ])
}
