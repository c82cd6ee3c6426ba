import { parentPort, workerData } from 'node:worker_threads'
import { openDirectoryWriter } from '#layer'
import type { Entry } from '#tree'
import { openWindowReader } from './byte-window.ts'
import { isLeftOut, layerDirectoryOptions } from './layer-directory-options.ts'
import type { UnpackAnswer, UnpackOrder, UnpackStart } from './unpack-thread.ts'

// Runs on a thread of its own: writes members of an archive into a directory as they come.
const { directory, rootless, window } = workerData as UnpackStart
const archive = openWindowReader(window)
const writer = openDirectoryWriter(directory, { ...layerDirectoryOptions(rootless), contents })
const answer = (text: UnpackAnswer): void => parentPort?.postMessage(text)
let failed = false

function contents({ source, size }: Entry): Iterable<Uint8Array> {
  if (source?.kind !== 'range') throw new Error('a file without a place in the archive')
  return archive.read(source.offset, source.offset + size)
}

parentPort?.on('message', (order: UnpackOrder) => {
  if (failed) return
  try {
    if (order === 'finish') {
      writer.finish()
      answer('done')
      return
    }
    for (const entry of order.members) {
      if (isLeftOut(entry, rootless)) continue
      if (!writer.hasParent(entry.type === 'opaque' ? `${entry.path}/` : entry.path)) throw new Error('no parent')
      writer.write(entry)
    }
    archive.release(order.end)
  } catch {
    // A name that comes twice, a directory that only layers below have, an error of the disk: who has the whole list sees to it.
    failed = true
    archive.close()
    answer('failed')
  }
})
