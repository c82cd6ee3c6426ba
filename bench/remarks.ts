/** What the figures cannot say themselves: for docs/performance.md. Only what profiles showed or what was tried. */
export const remarks = `- **Start (S1, S8).** Some 20 ms are Node itself. The command line is three files that are loaded together, with Node's compile cache;
  Node's own modules are read export by export, and what is not needed (child processes, zlib, the foreign function interface, the HTTP
  client, the stream of standard input) is loaded by the first who asks for it. The rules for secrets, a quarter of a cached build, are
  not loaded for an image in whose configuration they found nothing before. No build waits for the disk: the database is left open at
  the end, since closing it wrote its log back and waited for the disk twice. What is left are reading and compiling half a megabyte of
  code, SQLite, and Node's start. Tried: files as the bundler splits them (about thirty; measured in turn, 286 ms of processor time
  against 176); CommonJS instead of modules (5 to 10 ms of 160, within the noise).
- **RUN (S2).** A command costs the namespaces, one \`mount -a\` for all mounts (31 system calls for mounts of 261), and \`setpriv\`: six
  programs of util-linux and the shell are executed in three processes. One shell waits for the end of all sandboxes instead of one and
  two programs for each, since we enter its pid namespace ourselves. Node's fork, which copies the tables of its whole memory, was the
  largest single part of the main thread; posix_spawn does without. Where the file system is slow to make files (an ext4 without a
  journal looks past every inode that was freed in the last minute), these took a quarter of the time: the layer of missing mount points
  is made once a build, and the sixty links, files and directories that a sandbox needs are made in main memory. Not possible: to mount
  from one of our threads, since \`/proc\` shows the pid namespace of whoever mounts it, and the main thread shares its root with the
  others. Seven of the files that are still made for each command are the overlay's own. The rest is the command's own shell.
- **Files (S3a, S3c).** A file costs four system calls: \`statx\`, \`openat\`, \`pread64\`, \`close\`; extended attributes are not asked for again where
  the stat cache says that there were none. A quarter of the processor time is the kernel's. A tenth of the profile is the two SHA-256 (of
  the file and of the archive), an eighth the garbage collector, most of the rest objects and texts of 20,000 entries. Together these
  took a tenth of the processor time away: entries made as one object instead of out of parts, no promise, closure or abort check for a
  file that fits into the chunk at hand, one call of the hash for many lines of a key. A larger young generation and a collector with
  one thread made no difference that three noisy rounds could show. The engine makes 20,000 files for each of its builds, and how long
  that takes swings with how many were deleted before (see S5): in another run it took 13.2 s for S3a and 5.6 s for S3c (0.13, 0.31).
- **Nothing changed (S3b).** One \`statx\` a file, and the digest of the selection. A quarter of the processor time went away with entries
  made in one piece, paths put together without being normalised, and nothing learnt again that was known; a fifth of what is left is
  the garbage collector, and more room for young objects did not change that.
- **Bytes (S4).** Each byte is read once and written once. The main thread reads and makes the archive's digest, another one makes that of
  the file from the same memory, further ones write: of 2.1 s of processor time on the main thread 1.5 s are left for 1 GiB. The rest is
  the disk: S13-1, the same work with nobody else's gigabytes on their way there, took 2.6 s in the run in which S4 took 5.2 s.
- **Cold pull (S5).** Layers are decompressed, verified and indexed while they download, three at once; another thread writes each as a
  directory meanwhile, from bytes that pass through a window of shared memory. Every byte is written once: of the archive only the
  skeleton is kept (0.2 MB for 9,000 files), which with the files gives it back byte for byte. A file costs four system calls (\`openat\`,
  \`write\`, \`utimensat\`, \`close\`); owner and mode are set where a new file does not have them already, found out by one that is tried.
  What is left of the processor time: a fifth the kernel's creation and filling of files, a seventh decompression, a fifteenth the three
  SHA-256 (compressed, archive, each file), an eighth the start and the command, a tenth V8's compilers and collector, and for the rest
  bytes on their way through sockets, streams and threads. Pieces of a layer give their memory back at once; left to the collector they
  made it look through its heap 25 times, an eighth of the processor time. Tried without gain: smaller and larger pieces of
  decompression. Not tried: a decompressor other than Node's zlib. Each round has a store of its own: ext4 does not give out the inodes
  of deleted files for minutes and looks at each of them for every new file, so a store that was deleted right before made the pull up
  to three times as slow.
- **Compression (S6, S9).** Blocks are compressed on all cores, so the time is that of the compressor over the number of cores. gzip comes
  from libdeflate where it is installed: half the processor time of zlib for a layer that is 1 to 2 % smaller, and blocks in memory of
  their own, for which the garbage collector took a sixth of the time before. Tried and left: libdeflate as WebAssembly, a fifth faster
  than zlib only. Of 4.2 s of processor time for a push 2.1 are the compressor's; the rest is reading, two SHA-256 and the socket on
  the main thread, and the registry works on the same two cores. zstd looks for repeats over 8 MiB (7 % smaller for an archive of
  /usr/share, for a tenth more time); the noise of this input repeats in pieces of 12 bytes, which buildah's compressor finds. The engine's \`docker save\` of S9 writes layers uncompressed, so there
  our compressor runs against none.
- **Parallel stages (S7).** Both cores are busy with the stages' own commands; the floor, which is only these, is above the target against
  buildah.
- **Memory (S13, S14).** Contents pass through buffers of a fixed size. What grows with the number of files is their entries:
  samples of the heap find some 750 bytes a file alive (half of it the entry and path in the context, a quarter those in the layer,
  a sixth the digest), the rest is room that the collector leaves until it has to look. Steps are linear: a step takes the tree of the one before,
  where each read all layers below it; and chunks of archives serve the next layer, without which the collector took a fifth of the time.`
