import type { BuildCase } from './build-case.ts'

/** Where the engine is known to do something else than the language page says, or Slipway does better on purpose. */
export interface Known {
  /** Checkbox of the language page. */
  readonly rule: string
  readonly why: string
  /** Whether this is what the line of a comparison is about. */
  readonly explains: (line: string, buildCase: BuildCase) => boolean
}

const uses = (buildCase: BuildCase, pattern: RegExp): boolean => buildCase.instructions.some(text => pattern.test(text))

const octalChmod = /--chmod=([0-7]+)/

export const knownDifferences: readonly Known[] = [
  {
    rule: '12.5',
    why: 'the engine leaves created parents at 0755 where --chmod is octal',
    explains: (line, buildCase) => {
      // Below a set-group-id directory both inherit that bit.
      const [, mode = '', bits = ''] = /^\S.*: mode is "([0-7]{4})", should be "([02])755"$/.exec(line) ?? []
      const inherited = bits === '2' ? 0o2000 : 0
      return mode !== '' && octalModes(buildCase).some(octal => (octal | inherited) === Number.parseInt(mode, 8))
    },
  },
  {
    rule: '12.14',
    why: 'with an octal --chmod the engine loses its special bits and keeps those of the source',
    explains: (line, buildCase) => {
      const [, have = '0', want = '0'] = /: mode is "([0-7]{4})", should be "([0-7]{4})"$/.exec(line) ?? []
      const [is, should] = [Number.parseInt(have, 8), Number.parseInt(want, 8)]
      return octalModes(buildCase).includes(is) && (is & 0o777) === (should & 0o777)
    },
  },
  {
    rule: '12.11',
    why: 'the engine drops copied pipes, and then misses them',
    explains: (line, { objects }) =>
      /should not be there, is .*"type":"fifo"/.test(line) ||
      (objects.some(({ kind }) => kind === 'fifo') &&
        /^(the engine refuses: .*not found: not found|Slipway refuses: .*exists and is not a directory|Slipway refuses: .*cannot replace the directory)/.test(
          line,
        )),
  },
  {
    rule: '12.19',
    why: 'the engine does not apply --chown to what an archive holds',
    explains: (line, buildCase) =>
      /: [ug]id is \d+, should be \d+$/.test(line) && uses(buildCase, /\badd\s[^]*--chown/i),
  },
  {
    rule: '7.15',
    why: 'the engine leaves the arguments of a parent stage out of the history',
    explains: (line, buildCase) => /^history\[\d+\] is RUN \|/.test(line) && uses(buildCase, /^from stage/i),
  },
  {
    rule: '10.1',
    why: 'the engine lists an argument in the history of RUN as often as it was declared',
    explains: line => {
      const [, have = 0, want = 0] = /^history\[\d+\] is RUN \|(\d+) .*, should be RUN \|(\d+) /.exec(line) ?? []
      const names = line.slice(line.indexOf(', should be ')).match(/(?<= )\w+(?==)/g) ?? []
      return Number(want) > Number(have) && new Set(names).size < names.length
    },
  },
  {
    rule: '4.5',
    why: 'the engine takes a JSON array and ignores the text behind it',
    explains: (line, buildCase) => /\["trailing\\?"\]|"\[\\"trailing/.test(line) && uses(buildCase, /\["trailing"\] x/),
  },
  {
    rule: '11.1',
    why: 'the engine does not know RUN --network',
    explains: line => /^the engine refuses: .*Unknown flag: network/.test(line),
  },
  {
    rule: '11.6',
    why: 'the engine leaves the directories that it made only to mount something there',
    explains: (line, buildCase) => {
      const path = /^(\S+): missing, should be .*"type":"(?:directory|file)"/.exec(line)?.[1]
      // A later stage may have copied them to another place.
      return path !== undefined && mountTargets(buildCase).includes(path.slice(path.lastIndexOf('/') + 1))
    },
  },
  {
    rule: '13.4',
    why: 'the engine keeps an empty directory that a "!" line names though a later line leaves it out',
    explains: (line, buildCase) =>
      buildCase.ignore.some(pattern => pattern.startsWith('!')) &&
      (/^Slipway refuses: error: .*(leaves it out of the build context|not found in )/.test(line) ||
        /: missing, should be .*"type":"directory"/.test(line) ||
        listsOnlyMore(line, buildCase)),
  },
  {
    rule: '13.6',
    why: 'the engine does not enter a directory that only a "!" line with wildcards brings back',
    explains: (line, { ignore }) =>
      ignore.some(pattern => pattern.startsWith('!') && /[*?[]/.test(pattern)) &&
      (/should not be there|^the engine refuses: .*(no such file or directory|not found)/.test(line) ||
        // What is in that directory does not fit onto what is there already.
        /^Slipway refuses: .*(exists and is not a directory|cannot replace the directory)/.test(line)),
  },
  {
    rule: '12.1',
    why: 'the engine takes an empty source for the whole context; Slipway refuses it',
    explains: line => /^Slipway refuses: error: a source of (COPY|ADD) is empty/.test(line),
  },
  {
    rule: '12.3',
    why: 'the engine fails where a wildcard goes on below a file or a link to one; nothing matches there',
    explains: line =>
      /^(the engine refuses:|both refuse the last instruction: .*; the engine:) error from sender: (readdir|lstat).*: not a directory/s.test(
        line,
      ),
  },
  {
    rule: '12.10',
    why: 'the engine takes the target of a link for a pattern where its name has wildcards in it',
    explains: line =>
      /^the engine refuses: failed to compute cache key: "[^"]*[[*?][^"]*" not found/.test(line) ||
      /^the engine refuses: lstat [^:]*[[*?][^:]*: no such file or directory/.test(line),
  },
  {
    rule: '12.10',
    why: 'the engine does not get what a link points to where a directory above the link is a wildcard',
    explains: (line, buildCase) =>
      /: should not be there|^the engine refuses: .*not found/.test(line) &&
      buildCase.objects.some(({ kind }) => kind === 'symlink') &&
      uses(buildCase, /^\W*(?:copy|add)\s[^]*[*?\]][^\s",]*\//i),
  },
  {
    rule: '7.10',
    why: 'the engine looks for circles in stages that nobody needs, too',
    explains: line => /^the engine refuses: .*circular dependency detected on stage/.test(line),
  },
  {
    rule: '12.13',
    why: 'the engine takes 0 for an unknown name in --chown; Slipway refuses it',
    explains: line => /^Slipway refuses: error: unknown (user|group) /.test(line),
  },
  {
    rule: '12.8',
    why: 'the engine overwrites one file with the next; Slipway refuses several sources for one file',
    explains: line => /^Slipway refuses: error: \d+ sources cannot become one file/.test(line),
  },
]

/** The names of what RUN mounts something at, and of the directories above. */
function mountTargets({ instructions }: BuildCase): string[] {
  return instructions.flatMap(text =>
    [...text.matchAll(/--mount=\S*?target=(\/[^,\s]*)/g)].flatMap(([, target = '']) =>
      target.split('/').filter(part => part !== '' && part !== 'tmp'),
    ),
  )
}

function octalModes(buildCase: BuildCase): number[] {
  return buildCase.instructions.flatMap(text => {
    const mode = octalChmod.exec(text)?.[1]
    return mode === undefined ? [] : [Number.parseInt(mode, 8)]
  })
}

/** What a comparison found, as a verdict: what is explained is told apart from what is not. */
export function different(
  lines: readonly string[],
  buildCase: BuildCase,
): { readonly kind: 'different'; readonly lines: readonly string[]; readonly known: readonly Known[] } {
  const explained = lines.map(line => ({ line, known: knownDifferences.find(each => each.explains(line, buildCase)) }))
  return {
    kind: 'different',
    lines: explained.flatMap(({ line, known }) => (known === undefined ? [line] : [])),
    known: [...new Set(explained.flatMap(({ known }) => known ?? []))],
  }
}

/** Whether a listing of a mounted context lacks only directories that "!" lines name; its size differs with it. */
function listsOnlyMore(line: string, { ignore }: BuildCase): boolean {
  if (/\/tmp\/seen: size is \d+, should be \d+$/.test(line)) return true
  const [, have, want] = /\/tmp\/seen: text is (".*"), should be (".*")$/.exec(line) ?? []
  if (have === undefined || want === undefined) return false
  const names = (text: string): string[] => (JSON.parse(text) as string).split('\n')
  const named = new Set(ignore.flatMap(pattern => (pattern.startsWith('!') ? [pattern.slice(1).split('/')[0]] : [])))
  const present = names(have)
  return names(want).every(name => present.includes(name) || named.has(name))
}
