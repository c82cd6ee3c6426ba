import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { runInImage, smokeArguments } from '../run-service.ts'
import { startQueryServer } from './query-server.ts'

const { image, variant } = smokeArguments()
const { port, server } = await startQueryServer()
const web = createServer((request, response) => response.end(`${request.method} ${request.url}: a plain answer\n`))
await new Promise<void>(resolve => web.listen(0, '127.0.0.1', resolve))
try {
  const database = ['-h', '127.0.0.1', '-p', String(port), '-U', 'smoke']
  const query = ['psql', ...database, '--no-psqlrc', '--tuples-only', '--no-align', '-c', 'select 1 + 1', 'smoke']
  assert.equal(await runInImage(image, query), 'SELECT 1 + 1\n')
  assert.match(await runInImage(image, ['pg_isready', ...database]), /accepting connections/)

  const address = web.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  assert.equal(await runInImage(image, ['curl', '-sS', `${url}/harbour`]), 'GET /harbour: a plain answer\n')

  // curl can check certificates: it has the authorities' file. Nobody speaks TLS here, but it is read before anything is sent.
  const trace = await runInImage(
    image,
    ['curl', '-sv', '--stderr', '-', '--max-time', '5', `${url.replace('http', 'https')}/`],
    {
      exitCode: 35,
    },
  )
  assert.match(trace, /CAfile: \/etc\/ssl\/certs\/ca-certificates\.crt/)
} finally {
  server.close()
  web.close()
}
process.stdout.write(`${image}: ${variant} asks a database and a web server\n`)
