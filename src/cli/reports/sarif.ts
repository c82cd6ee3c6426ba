import { version } from '../version.ts'

/** One rule that a tool has. */
export interface SarifRule {
  readonly id: string
  readonly about: string
  readonly url?: string
}

/** One finding. */
export interface SarifResult {
  readonly rule: string
  readonly level: 'error' | 'warning' | 'note'
  readonly message: string
  /** Relative, with slashes; absent where it is in no file. */
  readonly file?: string
  /** All from 1; the end is behind the last character (SARIF 2.1.0, 3.30.8). */
  readonly region?: {
    readonly line: number
    readonly column: number
    readonly endLine?: number
    readonly endColumn?: number
  }
  /** Where else it is: a layer, a field of the configuration. */
  readonly within?: string
  /** Names the finding over several runs. */
  readonly fingerprint?: string
}

/** A log as OASIS SARIF 2.1.0 describes it, with one run. Ends with a newline. */
export async function sarifLog(
  command: string,
  rules: readonly SarifRule[],
  results: readonly SarifResult[],
): Promise<string> {
  const index = new Map(rules.map(({ id }, i) => [id, i]))
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: `slipway ${command}`,
            semanticVersion: await version(),
            rules: rules.map(({ id, about, url }) => ({
              id,
              shortDescription: { text: about },
              ...(url !== undefined && { helpUri: url }),
            })),
          },
        },
        columnKind: 'unicodeCodePoints',
        results: results.map(result => resultOf(result, index)),
      },
    ],
  }
  return `${JSON.stringify(log, undefined, 2)}\n`
}

function resultOf(result: SarifResult, index: ReadonlyMap<string, number>): object {
  const { rule, level, message, file, region, within, fingerprint } = result
  const physical = file !== undefined && {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(file) },
      ...(region && {
        region: {
          startLine: region.line,
          startColumn: region.column,
          ...(region.endLine !== undefined && { endLine: region.endLine }),
          ...(region.endColumn !== undefined && { endColumn: region.endColumn }),
        },
      }),
    },
  }
  const logical = within !== undefined && { logicalLocations: [{ fullyQualifiedName: within }] }
  return {
    ruleId: rule,
    ...(index.has(rule) && { ruleIndex: index.get(rule) }),
    level,
    message: { text: message },
    ...((physical || logical) && { locations: [{ ...physical, ...logical }] }),
    ...(fingerprint !== undefined && { partialFingerprints: { 'slipway/v1': fingerprint } }),
  }
}
