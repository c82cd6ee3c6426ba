import assert from 'node:assert/strict'
import { runService, smokeArguments } from '../run-service.ts'

const { image, variant } = smokeArguments()
const service = await runService(image)
try {
  const post = async (path: string, body = ''): Promise<string> =>
    (await fetch(service.url + path, { method: 'POST', body })).text()
  const get = async (path: string): Promise<string> => (await fetch(service.url + path)).text()

  assert.equal(await get('/'), 'The lock is open. Boats waiting: 0\n')
  assert.equal(await post('/boats', 'Åsa'), 'Åsa waits\n')
  assert.equal(await post('/boats', 'Bo'), 'Bo waits\n')
  assert.equal(await get('/boats'), 'Åsa\nBo\n')
  assert.equal(await post('/lift'), 'ÅSA passes\n')

  // The queue's process crashes; its supervisor starts a new one, and the service goes on.
  assert.equal(await post('/crash'), 'crashing\n')
  assert.equal(await answerOf(() => get('/')), 'The lock is open. Boats waiting: 0\n')
  assert.match(service.output(), /the gate is stuck/)
} finally {
  await service.stop()
}
assert.match(service.output(), /ended in order/)
process.stdout.write(`${image}: ${variant} answers, recovers, and ends in order\n`)

/** Until the supervisor has done its work, a request may fail. */
async function answerOf(ask: () => Promise<string>): Promise<string> {
  for (let left = 50; ; left--) {
    const answer = await ask()
    if (answer.startsWith('The lock') || left === 0) return answer
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
