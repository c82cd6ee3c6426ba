/** A file of an ar archive. */
export interface ArMember {
  readonly name: string
  readonly bytes: Buffer
}

const magic = '!<arch>\n'

/** Whether bytes begin like a Debian package (deb(5)): an ar archive whose first member is `debian-binary`. */
export function isDebianPackage(start: Uint8Array): boolean {
  return (
    Buffer.from(start.buffer, start.byteOffset, Math.min(21, start.length)).toString('latin1') ===
    `${magic}debian-binary`
  )
}

/** The members of an ar archive (deb(5)), until its end or until one is damaged. */
export function* readAr(archive: Buffer): Generator<ArMember> {
  for (let at = magic.length; at + 60 <= archive.length; ) {
    const name = archive
      .toString('latin1', at, at + 16)
      .trimEnd()
      .replace(/\/$/, '')
    const size = Number(archive.toString('latin1', at + 48, at + 58))
    if (!Number.isSafeInteger(size) || size < 0) return
    yield { name, bytes: archive.subarray(at + 60, at + 60 + size) }
    at += 60 + size + (size % 2)
  }
}
