import { UserError } from '#diagnostics'
import type { ControlParagraph } from './control-file.ts'
import { type DebFile, readDebFile } from './deb-file.ts'
import { controlFields } from './dpkg-database.ts'
import { inParallel } from './in-parallel.ts'
import type { PackageRecord } from './package-record.ts'
import type { Content } from './package-cache.ts'
import type { ResolvedBase } from './resolve-base.ts'

/** A package whose file has been verified and whose control archive has been read. */
export interface ReadPackage {
  readonly record: PackageRecord
  readonly deb: DebFile
  readonly fields: ControlParagraph
}

/** Packages that were chosen, with their files. */
export interface ObtainedBase {
  readonly resolved: ResolvedBase
  /** By package name. */
  readonly files: ReadonlyMap<string, DebFile>
}

/** Verifies and opens package files, given by package name: each is read once. Throws a `UserError`. */
export async function openPackages(
  packages: readonly OpenedPackage[],
  paths: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, DebFile>> {
  const files = new Map<string, DebFile>()
  const work = async (item: OpenedPackage): Promise<void> => {
    files.set(item.name, await readDebFile(paths.get(item.name) ?? '', item, `package ${item.name}`))
  }
  await inParallel(packages, 4, work, signal)
  return files
}

type OpenedPackage = Content & { readonly name: string }

/** The packages in their order. Throws a `UserError` for a file of another package. */
export function readPackages({ resolved, files }: ObtainedBase): readonly ReadPackage[] {
  return resolved.packages.flatMap(({ record }) => {
    const deb = files.get(record.name)
    if (deb === undefined) return []
    const fields = controlFields(deb.control)
    checkFields(record, fields)
    return [{ record, deb, fields }]
  })
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
