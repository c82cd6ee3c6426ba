import { styleText } from 'node:util'
import { inText, type SecretFinding } from '#scan'
import { sarifLog } from '../reports/sarif.ts'
import { formatSize } from '../size.ts'
import { oneLine } from '../text-width.ts'
import type { Scanned } from './scan-command.ts'

/** With how many findings the baseline let through. */
export type ShownScan = Scanned & { readonly known: number }

/** For people. */
export function scanText(scan: ShownScan, { color }: { readonly color: boolean }): string {
  const { report, known } = scan
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text
  const styles = { high: 'red', medium: 'yellow', low: 'cyan' } as const
  const blocks = report.findings.map(finding => {
    const { rule, title, severity, masked } = finding
    const lines = [
      `${paint(['bold', styles[severity]], `${severity}:`)} ${title} (${rule})`,
      `  ${paint('dim', '-->')} ${oneLine(whereText(finding))}`,
      `      ${oneLine(masked)}`,
      ...detailsOf(finding, scan).map(line => `      ${paint('dim', oneLine(line))}`),
    ]
    return `${lines.join('\n')}\n`
  })
  const count = report.findings.length
  const sum = `${count === 0 ? 'no secrets' : count === 1 ? '1 secret' : `${count} secrets`} in ${scan.target}: ${report.files} files, ${formatSize(report.bytes)}`
  const notes = report.notes.map(note => `note: ${oneLine(note)}\n`)
  return [
    ...blocks.map(block => `${block}\n`),
    ...notes,
    `${sum}${known > 0 ? `; ${known} more in the baseline` : ''}\n`,
  ].join('')
}

function whereText({ place }: SecretFinding): string {
  switch (place.kind) {
    case 'file': {
      const member = place.member === undefined || place.member === '' ? '' : ` → ${place.member}`
      return `${place.path}${member}:${place.line}:${place.column}`
    }
    case 'history':
      return `history, entry ${place.entry + 1}`
    case 'env':
      return `environment variable ${place.name}`
    case 'label':
      return `label ${place.name}`
    case 'config':
      return `configuration, ${place.field}`
  }
}

/** Layers are counted from 1 for people. */
function detailsOf({ place }: SecretFinding, { config }: ShownScan): string[] {
  const made = config?.history.filter(entry => entry.empty_layer !== true).map(entry => entry.created_by ?? '') ?? []
  const layer = (index: number): string => {
    const line = made[index]
    return `layer ${index + 1}${line ? `: ${shownLine(line)}` : ''}`
  }
  if (place.kind === 'history') return [shortened(maskedLine(config?.history[place.entry]?.created_by ?? ''))]
  if (place.kind !== 'file' || place.layer === undefined) return []
  return [
    layer(place.layer),
    ...(place.hiddenBy === undefined
      ? []
      : [`removed or replaced by ${layer(place.hiddenBy)}; it is in the image all the same`]),
  ]
}

/** An instruction may hold a secret itself. */
function shownLine(line: string): string {
  return inText(line, { kind: 'config', field: '' }).length > 0 ? maskedLine(line) : shortened(line)
}

/** The line that holds the secret is not shown further than its keyword. */
function maskedLine(line: string): string {
  return `${/^\S+(?:\s+[A-Za-z_][\w.-]*(?==|\s))?/.exec(line)?.[0] ?? ''} …`
}

function shortened(line: string): string {
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}

/** `docs/scan.md` describes the form. */
export function scanJson({ target, report, known }: ShownScan): string {
  return `${JSON.stringify({ version: 1, target, ...report, known }, undefined, 2)}\n`
}

export async function scanSarif({ report }: ShownScan): Promise<string> {
  const rules = new Map(report.findings.map(({ rule, title }) => [rule, { id: rule, about: title }]))
  const levels = { high: 'error', medium: 'warning', low: 'note' } as const
  return sarifLog(
    'scan',
    [...rules.values()],
    report.findings.map(finding => ({
      rule: finding.rule,
      level: levels[finding.severity],
      message: `${finding.title}: ${finding.masked}`,
      fingerprint: finding.fingerprint,
      ...(finding.place.kind === 'file'
        ? {
            file: finding.place.path,
            region: { line: finding.place.line, column: finding.place.column },
            ...(finding.place.layer !== undefined && { within: `layer ${finding.place.layer + 1}` }),
          }
        : { within: whereText(finding) }),
    })),
  )
}
