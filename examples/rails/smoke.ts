import assert from 'node:assert/strict'
import { runService, smokeArguments } from '../run-service.ts'
import { startQueryServer } from '../apt/query-server.ts'

const { image, variant } = smokeArguments()
const { port, server } = await startQueryServer()
try {
  const database = `postgresql://smoke@127.0.0.1:${port}/log?sslmode=disable`
  const service = await runService(image, { options: ['-e', `DATABASE_URL=${database}`] })
  try {
    const page = await (await fetch(service.url)).text()
    assert.match(page, /<td>06:00<\/td><td>Left the slipway<\/td>/)
    assert.match(page, /She floats &amp; holds &lt;water&gt;/)
    const [, sheet = ''] = /href="(\/assets\/application-[0-9a-f]+\.css)"/.exec(page) ?? []
    assert.match(await (await fetch(service.url + sheet)).text(), /body h1\s*\{\s*color:\s*#1b4965;?\s*\}/)
    // By way of the gem pg and PostgreSQL's client library.
    assert.equal(await (await fetch(`${service.url}/database`)).text(), 'SELECT 1 + 1\n')
    assert.equal((await fetch(`${service.url}/nowhere`)).status, 404)
  } finally {
    await service.stop()
  }
} finally {
  server.close()
}
process.stdout.write(`${image}: ${variant} shows a page with its style sheet, and asks a database\n`)
