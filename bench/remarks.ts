/** What the figures cannot say themselves: for docs/performance.md. */
export const remarks = `- **Start (S1, S8).** Some 20 ms are Node itself. The command line is three files that are loaded together, with Node's compile cache;
  Node's own modules are read export by export, and what is not needed (child processes, zlib, the foreign function interface, the HTTP
  client) is loaded by the first who calls it. Tried: one file for everything (the compile cache then holds what the first command
  needed, and others compile again), files as the bundler splits them (thirty, each 1 ms of Node's loader).
- **RUN (S2).** A command costs the namespaces, one \`mount -a\` for all mounts, and \`setpriv\`: processes of util-linux, of which each is a fork
  and an exec. The rest is the command's own shell.
- **Files (S3).** A file is opened, read, hashed and written once, by synchronous calls that are several times faster a file than
  asynchronous ones. Nothing is created on disk but the archive. Where nothing changed, one \`lstat\` a file is what is left.
- **Bytes (S4).** Reading, hashing and writing a chunk overlap; SHA-256 of the file and of the archive are two passes over memory, one on
  each core.
- **Compression (S6, S9).** Blocks are compressed on all cores, so the time is that of the compressor over the number of cores.
- **Memory (S13, S14).** Contents pass through buffers of a fixed size. What grows with the number of files is their entries.`
