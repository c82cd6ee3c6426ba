import { basename } from 'node:path'
import { cycloneDxDocument, type LockedSystem, spdxDocument } from '#debian'
import type { SbomFormat } from '../commands/base.ts'
import type { CliContext } from '../context.ts'
import { writeFileWhole } from '../streams/write-file-whole.ts'
import { usageError } from '../usage-error.ts'
import { version } from '../version.ts'
import type { BaseInput } from './base-input.ts'

/** The text of a bill of materials for a base with these packages. */
export async function sbomText(
  format: SbomFormat,
  { source, spec }: BaseInput,
  systems: readonly LockedSystem[],
): Promise<string> {
  const name = basename(source.name).replace(/\.ya?ml$/, '')
  const subject = { name, suite: spec.suite, systems, toolVersion: await version() }
  return format === 'spdx' ? spdxDocument(subject) : cycloneDxDocument(subject)
}

/** The format that a file's name asks for. Throws a `UserError` (wrong usage) where it asks for none. */
export function sbomFormatOf(path: string): SbomFormat {
  if (path.endsWith('.spdx.json')) return 'spdx'
  if (path.endsWith('.cdx.json')) return 'cyclonedx'
  throw usageError(`--sbom ${path}: the name does not say which format`, 'name it FILE.spdx.json or FILE.cdx.json')
}

/** Writes a bill of materials for each path, in the format of its name. */
export async function writeSboms(
  paths: readonly string[],
  about: { readonly input: BaseInput; readonly systems: readonly LockedSystem[] },
  context: CliContext,
): Promise<void> {
  for (const path of paths) {
    await writeFileWhole(path, await sbomText(sbomFormatOf(path), about.input, about.systems), context)
  }
}
