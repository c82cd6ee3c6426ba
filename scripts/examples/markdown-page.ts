import { markdownTable, type Row } from './size-table.ts'

/** The page that shows the table, with what the remaining bytes are where a goal is missed. */
export function markdownPage(rows: readonly Row[]): string {
  const notes = rows.filter(({ met }) => met === false)
  const missed =
    notes.length === 0
      ? ['Every goal is met.']
      : [
          '## Missed',
          ...notes.map(({ example, variant, note }) => `**${example}:${variant}.** ${note ?? 'No note yet.'}`),
        ]
  const text = [
    '# How small the examples get',
    'Made by `npm run examples -- --write docs/examples.md`; do not edit by hand.',
    [
      'Each example is a folder of [examples/](../examples/) with a README. *Size* is the sum of the layers, uncompressed; *compressed*',
      'is what a push sends, with gzip. *Smaller* compares the sizes with that of the first image of the example. All bases are made',
      'from Debian packages with `slipway base`.',
    ].join('\n'),
    markdownTable(rows).trimEnd(),
    ...missed,
  ]
  return `${text.join('\n\n')}\n`
}
