/**
 * Applies symbolic mode clauses (`u=rwX,go=rX`, `+x`, `g=u`) to a mode as chmod(1) does with umask 0: POSIX, "chmod",
 * extended description. `isDirectory` decides what `X` means.
 */
export function applySymbolicMode(mode: number, text: string, isDirectory: boolean): number {
  let result = mode
  for (const clause of text.split(',')) {
    const form = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause)
    if (!form) throw new RangeError(`invalid symbolic mode ${JSON.stringify(text)}`)
    const who = form[1] === '' || form[1]?.includes('a') ? 'ugo' : (form[1] ?? 'ugo')
    for (const action of form[2]?.match(/[-+=](?:[ugo]|[rwxXst]*)/g) ?? [])
      result = applyAction(result, who, { action, isDirectory })
  }
  return result
}

const shift: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 }

function applyAction(
  mode: number,
  who: string,
  { action, isDirectory }: { action: string; isDirectory: boolean },
): number {
  const operator = action[0]
  const permissions = action.slice(1)
  let bits = 0
  let touched = 0
  for (const w of who) {
    const s = shift[w] ?? 0
    touched |= 0o7 << s
    bits |= ordinaryBits(mode, permissions, isDirectory) << s
  }
  if (permissions.includes('s')) bits |= (who.includes('u') ? 0o4000 : 0) | (who.includes('g') ? 0o2000 : 0)
  if (permissions.includes('t') && (who === 'ugo' || who.includes('o'))) bits |= 0o1000
  if (operator === '+') return mode | bits
  if (operator === '-') return mode & ~bits
  const special = isDirectory ? 0 : (who.includes('u') ? 0o4000 : 0) | (who.includes('g') ? 0o2000 : 0)
  return (mode & ~touched & ~special) | bits
}

function ordinaryBits(mode: number, permissions: string, isDirectory: boolean): number {
  const copied = shift[permissions]
  if (copied !== undefined) return (mode >> copied) & 0o7
  let bits = 0
  if (permissions.includes('r')) bits |= 4
  if (permissions.includes('w')) bits |= 2
  if (permissions.includes('x') || (permissions.includes('X') && (isDirectory || (mode & 0o111) !== 0))) bits |= 1
  return bits
}
