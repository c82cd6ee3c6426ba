import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createTarParser, type TarHeader } from '#tar'
import { cleanPath, type Entry } from '#tree'
import { UserError } from '#diagnostics'
import { inParallel } from '../in-parallel.ts'
import type { ReadPackage } from '../read-packages.ts'

/** A package and what its data archive holds, in the archive's order. */
export interface PackageMembers {
  readonly item: ReadPackage
  /** Paths without leading slash; contents are read from a scratch file. */
  readonly members: readonly Entry[]
}

/** Packages whose data is decompressed at the same time. */
const simultaneous = 4

/**
 * Decompresses data archives to files below `scratch` and lists their members. Works for every architecture and without
 * privileges. Throws a `UserError` for archives that are damaged or hostile.
 */
export async function readMembers(
  packages: readonly ReadPackage[],
  scratch: string,
  { onDone, signal }: { readonly onDone: (count: number) => void; readonly signal: AbortSignal | undefined },
): Promise<readonly PackageMembers[]> {
  const read = new Map<ReadPackage, PackageMembers>()
  // The largest first: the end is reached with both processors busy.
  const queue = packages.toSorted((a, b) => b.record.size - a.record.size)
  await inParallel(
    queue,
    simultaneous,
    async (item, either) => {
      const path = join(scratch, `${item.record.name}.tar`)
      read.set(item, { item, members: await unpackTo(path, item, either) })
      onDone(read.size)
    },
    signal,
  )
  return packages.flatMap(item => read.get(item) ?? [])
}

async function unpackTo(path: string, { record, deb }: ReadPackage, signal: AbortSignal): Promise<readonly Entry[]> {
  const members: Entry[] = []
  const parser = createTarParser(
    {
      onHeader: (header, offset) => members.push(memberOf(header, offset, { path, name: record.name })),
      onContent: () => undefined,
      onHole: () => undefined,
      onMemberEnd: () => undefined,
    },
    { name: `package ${record.name}` },
  )
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of deb.data()) {
      signal.throwIfAborted()
      parser.push(chunk)
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten
    }
    parser.end()
  } finally {
    await file.close()
  }
  return members
}

function memberOf(
  header: TarHeader,
  offset: number | undefined,
  archive: { readonly path: string; readonly name: string },
): Entry {
  const hostile = (path: string): boolean => path.split('/').includes('..') || path.includes('\n')
  const link = header.type === 'hardlink' ? (header.link ?? '') : ''
  if (hostile(header.path) || hostile(link)) {
    throw new UserError(`package ${archive.name} has a member with the name ${JSON.stringify(header.path)}`, {
      hint: 'the package is damaged or hostile',
    })
  }
  const mtime = { seconds: header.mtime.seconds, nanoseconds: 0 }
  const base = { ...header, path: cleanPath(header.path), mode: header.mode & 0o7777, mtime }
  if (header.type === 'hardlink') return { ...base, link: cleanPath(link) }
  if (header.type !== 'file') return base
  if (offset === undefined) {
    throw new UserError(`package ${archive.name} has a sparse file, which packages never have`, {
      hint: 'the package is damaged',
    })
  }
  return { ...base, source: { kind: 'range', path: archive.path, offset } }
}
