import assert from 'node:assert/strict'
import { runService, smokeArguments } from '../run-service.ts'

const { image, variant } = smokeArguments()
const service = await runService(image, { ready: '/healthz' })
try {
  const text = async (path: string): Promise<string> => (await fetch(service.url + path)).text()

  const page = await text('/')
  assert.match(page, /<h1>Harbour<\/h1>/)
  assert.match(page, /<td><a href="\/ships">\/ships<\/a><\/td>/)

  const ship = { name: 'Gorch Fock', tonnage: 1_760_000 }
  const added = await fetch(`${service.url}/ships`, { method: 'POST', body: JSON.stringify(ship) })
  assert.equal(added.status, 201)
  const ships = JSON.parse(await text('/ships')) as unknown[]
  assert.deepEqual(ships[1], { ...ship, human: '1.76 Gg' })

  // Time zones are files of the base, or part of the program where there is no base.
  assert.match(await text('/time/Asia/Kolkata'), /T\d\d:\d\d:\d\d\+05:30\n$/)
  assert.equal((await fetch(`${service.url}/time/Atlantis`)).status, 404)
} finally {
  await service.stop()
}
assert.match(service.output(), /ended in order/)
process.stdout.write(`${image}: ${variant} answers, and ends in order\n`)
