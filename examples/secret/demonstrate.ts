// Builds both Dockerfiles against a private server of its own, and looks for the token in all that an image consists of.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { runInImage } from '../run-service.ts'

const executable = fileURLToPath(new URL('../../bin/slipway.js', import.meta.url))
const context = fileURLToPath(new URL('.', import.meta.url))
const token = `tok_${randomBytes(18).toString('hex')}`
const chart = 'Here be rocks.\n'
const scratch = mkdtempSync(join(tmpdir(), 'slipway-secret-'))

const server = createServer((request, response) => {
  const allowed = request.headers.authorization === `Bearer ${token}` && request.url === '/chart.txt'
  response.writeHead(allowed ? 200 : 401).end(allowed ? chart : 'who are you?\n')
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
try {
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const config = join(scratch, 'curlrc')
  writeFileSync(config, `header = "Authorization: Bearer ${token}"\n`, { mode: 0o600 })

  // The default cache would do for a second run, but for the port of the server, which is another one each time.
  const build = ['build', '--build-arg', `SERVER=${url}`]
  await slipway(...build, '-t', 'secret:argument', '-f', 'Dockerfile.argument', '--build-arg', `TOKEN=${token}`, '.')
  await slipway('history', 'secret:argument')
  await slipway(...build, '-t', 'secret:mount', '--secret', `id=token,src=${config}`, '.')
  await slipway('history', 'secret:mount')

  assert.equal(await runInImage('secret:argument', []), chart)
  assert.equal(await runInImage('secret:mount', []), chart)
  assert.deepEqual(await placesOf('secret:argument'), ['layer 2: root/.curlrc'])
  assert.deepEqual(await placesOf('secret:mount'), [])
  process.stdout.write(
    '\nThe token was found in secret:argument (layer 2, root/.curlrc), and nowhere in secret:mount.\n',
  )
} finally {
  server.close()
  rmSync(scratch, { recursive: true, force: true })
}

/** Runs `slipway` in sight, without showing the token. */
async function slipway(...args: readonly string[]): Promise<void> {
  process.stdout.write(`\n$ slipway ${args.join(' ').replaceAll(token, 'tok_…')}\n`)
  const child = spawn(process.execPath, [executable, ...args], { cwd: context, stdio: ['ignore', 1, 2] })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  assert.equal(code, 0)
}

/** Where the token is in an image: layers in their order, configuration (which holds the history), and manifest. */
async function placesOf(image: string): Promise<readonly string[]> {
  const directory = mkdtempSync(join(scratch, 'image-'))
  const run = (...args: readonly string[]): Buffer => execFileSync('tar', args, { maxBuffer: 2 ** 30 })
  const archive = join(directory, 'image.tar')
  execFileSync(process.execPath, [executable, 'save', '--type', 'oci', '-o', archive, image])
  run('-xf', archive, '-C', directory)
  const blob = (digest: string): Buffer => readFileSync(join(directory, 'blobs', digest.replace(':', '/')))
  const parse = (bytes: Buffer): Manifest => JSON.parse(bytes.toString()) as Manifest
  const [entry] = (JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as Index).manifests
  assert.ok(entry)
  const { config, layers } = parse(blob(entry.digest))

  const places = layers.flatMap(({ digest }, i) => {
    const layer = join(directory, `layer-${i + 1}`)
    writeFileSync(`${layer}.tar`, gunzipSync(blob(digest)))
    if (!readFileSync(`${layer}.tar`).includes(token)) return []
    const names = run('-tf', `${layer}.tar`)
      .toString()
      .split('\n')
      .filter(name => name !== '' && !name.endsWith('/'))
    return names
      .filter(name => run('-xOf', `${layer}.tar`, name).includes(token))
      .map(name => `layer ${i + 1}: ${name}`)
  })
  if (blob(config.digest).includes(token)) places.push('configuration')
  // And every other file of the archive, whatever it is.
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(file => file.isFile())
  const known = files.filter(({ name }) => !name.startsWith('layer-') && name !== 'image.tar')
  if (known.some(file => readFileSync(join(file.parentPath, file.name)).includes(token))) places.push('archive')
  return places
}

interface Described {
  readonly digest: string
}

interface Index {
  readonly manifests: readonly Described[]
}

interface Manifest {
  readonly config: Described
  readonly layers: readonly Described[]
}
