// Writes the root file system of the samples' base image: `make-test-base.ts DEST.tar`.
// Then: docker import DEST.tar slipway-test/base; slipway import DEST.tar slipway-test/base
import { writeFileSync } from 'node:fs'
import { findBusybox, testBaseArchive, testBaseName } from '../test/oracle/test-base.ts'

const [destination] = process.argv.slice(2)
if (destination === undefined) {
  process.stderr.write('usage: make-test-base.ts DEST.tar\n')
  process.exit(2)
}
const busybox = findBusybox()
writeFileSync(destination, testBaseArchive(busybox.bytes))
const remark = busybox.runs ? '' : ' (without a busybox: nothing can be run in it)'
process.stdout.write(`${destination}: root file system of ${testBaseName}${remark}\n`)
