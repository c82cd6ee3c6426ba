import { UserError } from '#diagnostics'
import type { ControlParagraph } from './control-file.ts'
import { type DebFile, readDebFile } from './deb-file.ts'
import { controlFields } from './dpkg-database.ts'
import { inParallel } from './in-parallel.ts'
import type { PackageRecord } from './package-record.ts'
import type { ResolvedPackage } from './resolve-base.ts'

/** A package whose file has been verified and whose control archive has been read. */
export interface ReadPackage {
  readonly record: PackageRecord
  readonly deb: DebFile
  readonly fields: ControlParagraph
}

/** Verifies and opens package files, given by package name; in the order of `packages`. Throws a `UserError`. */
export async function readPackages(
  packages: readonly ResolvedPackage[],
  paths: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<readonly ReadPackage[]> {
  const read = new Map<string, ReadPackage>()
  const work = async ({ record }: ResolvedPackage): Promise<void> => {
    const deb = await readDebFile(paths.get(record.name) ?? '', record, `package ${record.name}`)
    const fields = controlFields(deb.control)
    checkFields(record, fields)
    read.set(record.name, { record, deb, fields })
  }
  await inParallel(packages, 4, work, signal)
  return packages.flatMap(({ record }) => read.get(record.name) ?? [])
}

/** The index decided what is installed; the package must agree. */
function checkFields(record: PackageRecord, fields: ControlParagraph): void {
  for (const field of ['package', 'version', 'architecture'] as const) {
    const wanted = field === 'package' ? record.name : record[field]
    if (fields.get(field) === wanted) continue
    throw new UserError(`package ${record.name} calls its ${field} ${fields.get(field)}, the index ${wanted}`, {
      hint: 'the repository is damaged; use another mirror',
    })
  }
}
