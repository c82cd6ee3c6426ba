import type { Example } from './read-examples.ts'
import { readableSize } from './size-table.ts'

/** What is known of one image. Sizes in bytes. */
export interface ImageReport {
  readonly tag: string
  readonly about: string
  readonly totals: {
    readonly size: number
    readonly visible: number
    readonly waste: number
    readonly savings: number
    readonly files: number
    readonly layers: number
  }
  readonly findings: readonly SecretFinding[]
}

/** A secret as `slipway scan --format json` tells it. */
export interface SecretFinding {
  readonly title: string
  readonly severity: string
  readonly masked: string
  readonly place: {
    readonly kind: string
    readonly path?: string
    readonly layer?: number
    readonly hiddenBy?: unknown
  }
}

/** The report of an example in Markdown: its images beside each other, the first and the last one in full, and secrets in them. */
export function reportPage(
  { name, about }: Pick<Example, 'name' | 'about'>,
  reports: readonly ImageReport[],
  texts: ReadonlyMap<string, string>,
): string {
  const parts = [
    `# ${name}: what is in the images`,
    'Made by `npm run examples -- --write docs/examples.md --reports docs/examples`; do not edit by hand.',
    `${about}: [the example](../../examples/${name}/). What the figures mean is in [analyze.md](../analyze.md).`,
    table(
      ['image', 'how', 'layers', 'size', 'seen', 'waste', 'could be saved', 'files', 'secrets'],
      reports.map(({ tag, about: how, totals, findings }) => [
        tag,
        how,
        String(totals.layers),
        ...[totals.size, totals.visible, totals.waste, totals.savings].map(readableSize),
        String(totals.files),
        String(findings.length),
      ]),
    ),
    ...[...texts].flatMap(([tag, text]) => [`## ${tag}`, terminal(`slipway analyze --top 5 ${tag}`, text)]),
    '## Secrets',
    secrets(reports),
  ]
  return `${parts.join('\n\n')}\n`
}

function terminal(command: string, output: string): string {
  return `\`\`\`\n$ ${command}\n${withoutMirror(output).replaceAll(/ +$/gm, '').trimEnd()}\n\`\`\``
}

/** apt's lists are called after the mirror that they came from, which is another one elsewhere. */
export function withoutMirror(text: string): string {
  return text.replaceAll(/(?<=["/])[\w.%-]+?_dists_(?=[a-z])/g, '…_dists_')
}

/** One row for each place, whatever it holds how many of. */
function secrets(reports: readonly ImageReport[]): string {
  const rows = reports.flatMap(({ tag, findings }) => {
    const places = Map.groupBy(findings, ({ title, place }) => `${title} ${place.kind} ${place.path} ${place.layer}`)
    return [...places.values()].map(found => {
      const [{ title, severity, place } = unknown] = found
      const where = place.path === undefined ? place.kind : withoutMirror(`\`/${place.path}\``)
      return [tag, severity, title, String(found.length), where, place.layer === undefined ? '' : String(place.layer)]
    })
  })
  if (rows.length === 0) return '`slipway scan` finds none in any of the images.'
  const notes = publicValues.filter(({ path }) => rows.some(row => path.test(row[4] ?? ''))).map(({ note }) => note)
  const found = table(['image', 'severity', 'what', 'how many', 'where', 'layer'], rows)
  return ['What `slipway scan` finds:', found, ...notes].join('\n\n')
}

/** What everybody has who knows the package. */
const publicValues: readonly { readonly path: RegExp; readonly note: string }[] = [
  { path: /libgnutls\.so/, note: 'The keys in `libgnutls` are public: the library tests itself with them.' },
  {
    path: /i18n_Translation/,
    note: 'The address in the list of translations is an example in the description of a package.',
  },
]

const unknown: SecretFinding = { title: '', severity: '', masked: '', place: { kind: '' } }

/** Figures to the right. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const isFigure = (column: number): boolean => rows.every(row => /^[\d.]*( [kMGT]?B)?$/.test(row[column] ?? ''))
  const rule = `|${heads.map((_, column) => (isFigure(column) ? '---:' : '---')).join('|')}|`
  return [line(heads), rule, ...rows.map(line)].join('\n')
}
