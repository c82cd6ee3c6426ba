/** Why a builder refuses a case: the kind of mistake, and the line of the Dockerfile where it says so. */
export interface Reason {
  readonly kind: string
  readonly line?: number
}

/** Kinds of mistakes that random builds contain, as each builder words them. The first that fits counts. */
const kinds: readonly (readonly [kind: string, ours: RegExp, theirs: RegExp])[] = [
  ['circle of links', /too many levels of symbolic links/, /too many symlinks|too many links/],
  ['circle of stages', /circular dependency/, /circular dependency/],
  ['empty volume', /a VOLUME cannot be empty/, /VOLUME specified can not be an empty string/],
  ['port', /invalid (container )?port|invalid protocol|EXPOSE/, /[Ii]nvalid (containerPort|proto|port)|Invalid range/],
  ['stop signal', /STOPSIGNAL|invalid signal/, /[Ii]nvalid signal/],
  ['blank name', /cannot be blank|names can not be blank/, /names can not be blank|name cannot be blank/],
  ['bad pattern', /syntax error in (the )?pattern|invalid pattern/, /syntax error in pattern/],
  [
    'bad expansion',
    /bad substitution|unsupported modifier|expan/,
    /bad substitution|unsupported modifier|failed to process/,
  ],
  [
    'directory over a file',
    /exists and is not a directory|is not a directory, and only the last/,
    /cannot copy to non-directory|: not a directory$/,
  ],
  ['file over a directory', /cannot replace the directory/, /cannot replace to directory/],
  [
    'unknown user',
    /unknown (user|group)|no such user/,
    /unable to find (user|group)|no users found|no matching entries/,
  ],
  [
    'failed command',
    /exit code: \d+|did not complete|exited with/,
    /did not complete successfully|executor failed running/,
  ],
  ['missing source', /not found|there is no |which is not in /, /not found|no such file or directory/],
]

/** What Slipway says. */
export function ourReason(message: string): Reason {
  const line = /^ *--> .*?:(\d+):\d+$/m.exec(message)?.[1]
  // What follows is the place, with words of the file.
  const [said = ''] = message.split('\n')
  const kind = kinds.find(([, ours]) => ours.test(said))?.[0] ?? `unknown: ${said}`
  return { kind, ...(line !== undefined && { line: Number(line) }) }
}

/** What an engine says in its last line; most of its messages name no line. */
export function theirReason(message: string): Reason {
  const line = /(?:parse error(?: on)? line|Dockerfile:) ?(\d+)/.exec(message)?.[1]
  const kind = kinds.find(([, , theirs]) => theirs.test(message))?.[0] ?? `unknown: ${message}`
  return { kind, ...(line !== undefined && { line: Number(line) }) }
}

export function sameReason(ours: Reason, theirs: Reason): boolean {
  return ours.kind === theirs.kind && (theirs.line === undefined || ours.line === theirs.line)
}
