/** One line of a comparison. */
interface DiffLine {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
}

/** Lines around a change that are shown. */
const around = 3

/** Two texts as a unified diff, as `diff -u` and `git apply` have it; empty when they are equal. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return ''
  const lines = compare(linesOf(before), linesOf(after))
  const out = [`--- a/${name}`, `+++ b/${name}`]
  for (const [first, last] of hunks(lines)) {
    const old = lines.slice(0, first).filter(({ mark }) => mark !== '+').length
    const now = lines.slice(0, first).filter(({ mark }) => mark !== '-').length
    const part = lines.slice(first, last)
    const count = (without: string): number => part.filter(({ mark }) => mark !== without).length
    out.push(`@@ -${before === '' ? 0 : old + 1},${count('+')} +${now + 1},${count('-')} @@`)
    out.push(...part.map(({ mark, text }) => mark + text))
  }
  return `${out.join('\n')}\n`
}

function linesOf(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** Longest common subsequence: Dockerfiles are short. */
function compare(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [row, next] = [lengths[i] as Uint32Array, lengths[i + 1] as Uint32Array]
      row[j] = a[i] === b[j] ? (next[j + 1] as number) + 1 : Math.max(next[j] as number, row[j + 1] as number)
    }
  }
  const out: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const same = i < a.length && j < b.length && a[i] === b[j]
    if (same) {
      out.push({ mark: ' ', text: a[i] as string })
      i++
      j++
    } else if (j >= b.length || (i < a.length && (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0))) {
      out.push({ mark: '-', text: a[i] as string })
      i++
    } else {
      out.push({ mark: '+', text: b[j] as string })
      j++
    }
  }
  return out
}

/** Ranges of lines that are shown together. */
function hunks(lines: readonly DiffLine[]): readonly (readonly [number, number])[] {
  const out: [number, number][] = []
  for (const [i, { mark }] of lines.entries()) {
    if (mark === ' ') continue
    const [first, last] = [Math.max(0, i - around), Math.min(lines.length, i + around + 1)]
    const open = out.at(-1)
    if (open && first <= open[1]) open[1] = last
    else out.push([first, last])
  }
  return out
}
