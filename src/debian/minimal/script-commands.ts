/**
 * Commands of a maintainer script whose words are known without running it: literal ones, and those made of variables that the
 * script sets to literals, also in `for` loops over literal lists. `names`: which programs are looked for. Conditions are
 * taken as true: a new system is what most of them ask for. Commands with words that only running would tell are left out.
 */
export function scriptCommands(script: string, names: ReadonlySet<string>): readonly (readonly string[])[] {
  const commands: (readonly string[])[] = []
  const variables = new Map<string, string>()
  const loops: { readonly variable: string; readonly values: readonly string[]; readonly body: string[] }[] = []
  const take = (line: string): void => {
    const assignment = /^(?:local\s+|export\s+|readonly\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line)
    if (assignment) {
      // What only running would tell mostly changes a value in special cases: the earlier one stays.
      const value = expand(assignment[2] ?? '', variables)
      if (value && value.length < 2) variables.set(assignment[1] ?? '', value[0] ?? '')
      return
    }
    const words = expand(commandPart(line), variables)
    if (words?.[0] !== undefined && names.has(words[0].replace(/^\/(usr\/)?s?bin\//, ''))) commands.push(words)
  }
  const run = (line: string): void => {
    const loop = /^for\s+([A-Za-z_]\w*)\s+in\s+(.*)$/.exec(line)
    const [, variable, list] = loop ?? []
    if (variable !== undefined && list !== undefined) {
      const values = expand(list.replace(/;?\s*do$/, ''), variables, true)
      loops.push({ variable, values: values ?? [], body: [] })
      return
    }
    if (line === 'done' || line.startsWith('done ')) {
      const ended = loops.pop()
      for (const value of ended?.values ?? []) {
        for (const inner of [`${ended?.variable}='${value}'`, ...(ended?.body ?? [])])
          (loops.length > 0 ? keep : take)(inner)
      }
      return
    }
    if (line === 'do') return
    if (loops.length > 0) keep(line)
    else take(line)
  }
  const keep = (line: string): void => void loops.at(-1)?.body.push(line)
  // Loops that are no `for` have a `done`, too.
  for (const line of logicalLines(script)) {
    if (/^(while|until)\b/.test(line)) loops.push({ variable: '', values: [], body: [] })
    else run(line)
  }
  return commands
}

/** Lines without comments, with continued ones joined and several commands on one taken apart. */
function logicalLines(script: string): readonly string[] {
  return script
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .flatMap(line => line.split(/;(?!;)(?=(?:[^'"]|'[^']*'|"[^"]*")*$)/))
    .map(part => part.trim().replace(/^(then|else|do|\{)\s+/, ''))
    .filter(part => part !== '')
}

/** Without what tests something before it, and without redirections and what follows. */
function commandPart(line: string): string {
  const part = line.split(/\s(?:\|\||\|)\s?/)[0] ?? ''
  const last = part.split(/\s&&\s/).at(-1) ?? ''
  return last.replace(/^if\s+(!\s+)?/, '').replace(/\s*[12&]?>+\s*&?\S+/g, '')
}

const pieces = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(\s+)/g

/** Words of a line; undefined where one of them depends on more than literals. */
function expand(line: string, variables: ReadonlyMap<string, string>, isSplit = false): readonly string[] | undefined {
  if (/[`]|\$\(|\$[\d@*#?]/.test(line)) return undefined
  const words: string[] = []
  let word: string | undefined
  const end = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  const replaced = (text: string): string =>
    text.replace(
      /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
      (_, a?: string, b?: string) => variables.get(a ?? b ?? '') ?? '',
    )
  for (const [, single, double, escaped, bare, blank] of line.matchAll(pieces)) {
    if (blank !== undefined) end()
    else if (single !== undefined) word = (word ?? '') + single
    else if (double !== undefined) word = (word ?? '') + replaced(double).replace(/\\(.)/g, '$1')
    else if (escaped !== undefined) word = (word ?? '') + escaped
    else if (bare !== undefined) {
      const value = replaced(bare)
      // A variable without quotes that is empty is no word; one with blanks is several.
      if (value === '' && bare !== '') continue
      if (!/\s/.test(value) || !bare.includes('$')) word = (word ?? '') + value
      else {
        const [first = '', ...rest] = value.split(/\s+/).filter(part => part !== '')
        word = (word ?? '') + first
        for (const part of rest) {
          end()
          word = part
        }
      }
    }
  }
  end()
  if (words.some(text => text.includes('${'))) return undefined
  return isSplit ? words.filter(text => text !== '') : words
}
