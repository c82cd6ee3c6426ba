import { type Place, positionOf, renderWarning, type Warning } from '#diagnostics'
import type { Outline, OutlineInput, TargetSummary } from '#plan'
import { type Column, renderTable } from '../table.ts'

/** Warnings for people, with their number below. */
export function warningsText(warnings: readonly Warning[], options: { readonly color: boolean }): string {
  const count = warnings.length
  const sum = count === 0 ? 'no warnings\n' : count === 1 ? '1 warning\n' : `${count} warnings\n`
  return [...warnings.map(warning => `${renderWarning(warning, options)}\n`), sum].join('')
}

/** Warnings for programs. Lines and columns count from 1; `end` is behind the last character. */
export function warningsJson(warnings: readonly Warning[]): string {
  return json({
    warnings: warnings.map(({ code, message, hint, url, at }) => ({
      ruleName: code,
      detail: message,
      ...(hint !== undefined && { hint }),
      ...(url !== undefined && { url }),
      ...(at && {
        location: {
          file: at.source.name,
          start: positionOf(at.source, at.span.start),
          end: positionOf(at.source, at.span.end),
        },
      }),
    })),
  })
}

export function outlineText({ name, description, args, secrets, ssh }: Outline, width: number | undefined): string {
  const head = [
    ...(name === undefined ? [] : [`TARGET: ${name}\n`]),
    ...(description === undefined ? [] : [`DESCRIPTION: ${description}\n`]),
  ].join('')
  const argumentColumns: readonly Column<Outline['args'][number]>[] = [
    { title: 'BUILD ARG', cell: each => each.name },
    { title: 'VALUE', cell: each => each.value ?? '', shrinks: true },
    { title: 'LINE', cell: lineOf },
    { title: 'DESCRIPTION', cell: each => each.description ?? '' },
  ]
  const inputs = (title: string, rows: readonly OutlineInput[]): string[] =>
    rows.length === 0 ? [] : [renderTable(inputColumns(title), rows, width)]
  const tables = [
    ...(args.length === 0 ? [] : [renderTable(argumentColumns, args, width)]),
    ...inputs('SECRET', secrets),
    ...inputs('SSH', ssh),
  ]
  const parts = [...(head === '' ? [] : [head]), ...tables]
  return parts.length === 0 ? 'the target takes no arguments, secrets or SSH agents\n' : parts.join('\n')
}

function inputColumns(title: string): readonly Column<OutlineInput>[] {
  return [
    { title, cell: each => each.id },
    { title: 'REQUIRED', cell: each => (each.required ? 'yes' : 'no') },
    { title: 'LINE', cell: lineOf },
  ]
}

export function outlineJson({ args, secrets, ssh, ...rest }: Outline): string {
  return json({ ...rest, args: args.map(located), secrets: secrets.map(located), ssh: ssh.map(located) })
}

export function targetsText(targets: readonly TargetSummary[], width: number | undefined): string {
  const columns: readonly Column<TargetSummary>[] = [
    {
      title: 'TARGET',
      cell: ({ name = '', isDefault }) => [name, ...(isDefault ? ['(default)'] : [])].join(' ').trim(),
    },
    { title: 'BASE', cell: each => each.base, shrinks: true },
    { title: 'PLATFORM', cell: each => each.platform ?? '' },
    { title: 'LINE', cell: lineOf },
    { title: 'DESCRIPTION', cell: each => each.description ?? '' },
  ]
  return renderTable(columns, targets, width)
}

export function targetsJson(targets: readonly TargetSummary[]): string {
  return json({
    targets: targets.map(({ isDefault, ...target }) => ({ ...located(target), ...(isDefault && { default: true }) })),
  })
}

function located<T extends { readonly place: Place }>({ place, ...rest }: T): object {
  return { ...rest, location: { file: place.source.name, ...positionOf(place.source, place.span.start) } }
}

function lineOf({ place }: { readonly place: Place }): string {
  return String(positionOf(place.source, place.span.start).line)
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
