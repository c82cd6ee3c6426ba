/**
 * tar: tar members ⇄ bytes, exactly, as streams; no disk.
 *
 * In: bytes of ustar, PAX (POSIX.1-2001) or GNU archives, or members to write. Out: members, or bytes (ustar with PAX
 * records where a value needs them). Always: a value that does not fit is an error that names member and value, names
 * that are not UTF-8 survive, nothing is read into memory whole but headers.
 */
export { blockSize, endOfArchive, paddingSize, tarPadding } from './blocks.ts'
export { encodeTarHeader } from './encode-tar-header.ts'
export type { Device, MemberType, TarHeader, Time } from './header.ts'
export { decodeName, encodeName } from './name.ts'
export { readTar, type TarMember } from './read-tar.ts'
export { createTarParser, type TarHandlers, type TarOptions, type TarParser } from './tar-parser.ts'
export { type TarInput, writeTar } from './write-tar.ts'
