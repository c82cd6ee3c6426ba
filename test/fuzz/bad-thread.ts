import { openDesk } from './watch-thread.ts'

/** Does what nothing that reads foreign bytes may do, so that the watch can be tested. */
const { data, say } = openDesk()
const kept: unknown[] = []
for (const input of data === 'hang' ? ['the bad one'] : ['first', 'harmless', 'the bad one']) {
  say(input)
  if (input !== 'the bad one') continue
  if (data === 'hang') for (;;);
  if (data === 'heap') for (;;) kept.push({ more: String(kept.length) })
  if (data === 'buffers') for (;;) kept.push(Buffer.alloc(1 << 20, 1))
  if (data === 'throw') throw new Error('broken')
}
