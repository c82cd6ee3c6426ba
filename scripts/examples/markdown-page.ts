import type { Example } from './read-examples.ts'
import { markdownTable, type Row } from './size-table.ts'

/** The page that shows the table, with what the remaining bytes are where a goal is missed, and links to the reports. */
export function markdownPage(rows: readonly Row[], examples: readonly Pick<Example, 'name' | 'about'>[]): string {
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
    'Made by `npm run examples -- --write docs/examples.md --reports docs/examples`; do not edit by hand.',
    [
      'Each example is a folder of [examples/](../examples/) with a README. *Size* is the sum of the layers, uncompressed; *compressed*',
      'is what a push sends, with gzip. *Smaller* compares the sizes with that of the first image of the example. All bases are made',
      'from Debian packages with `slipway base`.',
    ].join('\n'),
    markdownTable(rows).trimEnd(),
    ...missed,
    '## Reports',
    [
      'What `slipway analyze` and `slipway scan` say about the images: where their bytes come from, what is wasted and why, what to write',
      'instead, and secrets in them.',
    ].join('\n'),
    examples.map(({ name, about }) => `- [${name}](examples/${name}.md): ${about}`).join('\n'),
  ]
  return `${text.join('\n\n')}\n`
}
