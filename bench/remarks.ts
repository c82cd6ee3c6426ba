/** What the figures cannot say themselves: for docs/performance.md. Only what profiles showed or what was tried. */
export const remarks = `- **Start (S1, S8).** Some 20 ms are Node itself. The command line is three files that are loaded together, with Node's compile cache;
  Node's own modules are read export by export, and what is not needed (child processes, zlib, the foreign function interface, the HTTP
  client) is loaded by the first who calls it. Tried: files as the bundler splits them (about thirty; measured in turn, 286 ms of
  processor time against 176).
- **RUN (S2).** A command costs the namespaces, one \`mount -a\` for all mounts, and \`setpriv\`: processes of util-linux, of which each is a fork
  and an exec. The rest is the command's own shell.
- **Files (S3a, S3c).** A file costs four system calls: \`statx\`, \`openat\`, \`pread64\`, \`close\`; extended attributes are not asked for again where
  the stat cache says that there were none. A quarter of the processor time is the kernel's. A tenth of the profile is the two SHA-256 (of
  the file and of the archive), an eighth the garbage collector, most of the rest objects and texts of 20,000 entries. Together these
  took a tenth of the processor time away: entries made as one object instead of out of parts, no promise, closure or abort check for a
  file that fits into the chunk at hand, one call of the hash for many lines of a key. A larger young generation and a collector with
  one thread made no difference that three noisy rounds could show.
- **Nothing changed (S3b).** One \`statx\` a file, and the digest of the selection.
- **Bytes (S4).** Each byte is read once and written once. Both digests, of the file and of the archive, are made by the main thread, so that
  the time is two passes of SHA-256 and the reading; only writing is on another core.
- **Cold pull (S5).** Layers are decompressed, verified and indexed while they download, three at once; only then are they unpacked, one after
  the other, so that every byte is written twice, as archive and as file. Four fifths of a profile are the creation of files, two thirds of
  those the kernel's \`open\` alone; GNU tar's processor time for the same files is the kernel's, too.
- **Compression (S6, S9).** Blocks are compressed on all cores, so the time is that of the compressor over the number of cores.
- **Memory (S13, S14).** Contents pass through buffers of a fixed size. What grows with the number of files is their entries.`
