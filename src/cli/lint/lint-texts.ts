import { type Place, positionOf, renderFinding } from '#diagnostics'
import type { LintFinding } from '#lint'
import { sarifLog } from '../reports/sarif.ts'
import type { LintedFile } from './lint-file.ts'

/** For people: excerpts with carets, then a line that counts. */
export function lintText(files: readonly LintedFile[], options: { readonly color: boolean }): string {
  const blocks = files.flatMap(({ findings }) =>
    findings.map(
      finding =>
        `${renderFinding(finding, { severity: finding.severity, names: [finding.code, ...finding.codes] }, options)}\n`,
    ),
  )
  const all = files.flatMap(({ findings }) => findings)
  const counts = (['error', 'warning', 'info', 'style'] as const).flatMap(severity => {
    const count = all.filter(finding => finding.severity === severity).length
    return count === 0
      ? []
      : [`${count} ${severity}${count > 1 && (severity === 'error' || severity === 'warning') ? 's' : ''}`]
  })
  const where = files.length === 1 ? (files[0]?.source.name ?? '') : `${files.length} Dockerfiles`
  const fixable = all.filter(({ fix }) => fix !== undefined).length
  const hint = fixable > 0 ? ` (--fix can mend ${fixable})` : ''
  return [...blocks, `${where}: ${counts.length === 0 ? 'nothing found' : counts.join(', ')}${hint}\n`].join('')
}

interface Spot {
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
}

/** The end is behind the last character. */
function spotOf({ source, span }: Place): Spot {
  const start = positionOf(source, span.start)
  const end = positionOf(source, Math.max(span.start, span.end))
  return { line: start.line, column: start.column, endLine: end.line, endColumn: end.column }
}

function nameOf({ at }: LintFinding, file: LintedFile): string {
  return at?.source.name ?? file.source.name
}

/** `docs/lint.md` describes the form. */
export function lintJson(files: readonly LintedFile[]): string {
  const findings = files.flatMap(file =>
    file.findings.map(finding => ({
      rule: finding.code,
      codes: finding.codes,
      severity: finding.severity,
      message: finding.message,
      ...(finding.hint !== undefined && { hint: finding.hint }),
      file: nameOf(finding, file),
      ...(finding.at && spotOf(finding.at)),
      ...(finding.url !== undefined && { page: finding.url }),
      fixable: finding.fix !== undefined,
    })),
  )
  return `${JSON.stringify({ version: 1, files: files.map(({ source }) => source.name), findings }, undefined, 2)}\n`
}

export async function lintSarif(files: readonly LintedFile[]): Promise<string> {
  const all = files.flatMap(file => file.findings.map(finding => ({ file, finding })))
  const rules = new Map(
    all.map(({ finding }) => [finding.code, { id: finding.code, about: finding.hint ?? finding.message }]),
  )
  const levels = { error: 'error', warning: 'warning', info: 'note', style: 'note' } as const
  return sarifLog(
    'lint',
    [...rules.values()],
    all.map(({ file, finding }) => ({
      rule: finding.code,
      level: levels[finding.severity],
      message: finding.hint === undefined ? finding.message : `${finding.message}. ${finding.hint}`,
      file: nameOf(finding, file),
      ...(finding.at && { region: spotOf(finding.at) }),
    })),
  )
}

/** Workflow commands: what GitHub shows beside the line. */
export function lintGithub(files: readonly LintedFile[]): string {
  const levels = { error: 'error', warning: 'warning', info: 'notice', style: 'notice' } as const
  const escape = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const property = (text: string): string => escape(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return files
    .flatMap(file =>
      file.findings.map(finding => {
        const spot = finding.at && spotOf(finding.at)
        const fields = [
          `file=${property(nameOf(finding, file))}`,
          ...(spot
            ? [`line=${spot.line}`, `col=${spot.column}`, `endLine=${spot.endLine}`, `endColumn=${spot.endColumn}`]
            : []),
          `title=${property([finding.code, ...finding.codes].join(' '))}`,
        ]
        return `::${levels[finding.severity]} ${fields.join(',')}::${escape(finding.hint === undefined ? finding.message : `${finding.message}. ${finding.hint}`)}\n`
      }),
    )
    .join('')
}

/** Checkstyle's XML, which many CI systems read. */
export function lintCheckstyle(files: readonly LintedFile[]): string {
  const escape = (text: string): string =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll('\n', '&#10;')
  const levels = { error: 'error', warning: 'warning', info: 'info', style: 'info' } as const
  const parts = files.map(file => {
    const errors = file.findings.map(finding => {
      const spot = finding.at && spotOf(finding.at)
      return `    <error line="${spot?.line ?? 1}" column="${spot?.column ?? 1}" severity="${levels[finding.severity]}" message="${escape(finding.message)}" source="${escape([finding.code, ...finding.codes].join(' '))}"/>\n`
    })
    return `  <file name="${escape(file.source.name)}">\n${errors.join('')}  </file>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n${parts.join('')}</checkstyle>\n`
}
