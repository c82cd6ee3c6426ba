import assert from 'node:assert/strict'
import { runService, smokeArguments } from '../run-service.ts'

const { image, variant } = smokeArguments()
const service = await runService(image)
try {
  assert.match(await (await fetch(service.url)).text(), /<li>No flags yet\.<\/li>/)
  const made = await fetch(`${service.url}/signals`, { method: 'POST', body: 'Ål & <ahoy>' })
  assert.equal(made.status, 201)
  const { id, flags } = (await made.json()) as { readonly id: string; readonly flags: readonly string[] }
  assert.deepEqual(flags, ['Alfa', 'Lima', 'Alfa', 'Hotel', 'Oscar', 'Yankee'])
  const found = await (await fetch(`${service.url}/signals/${id}`)).json()
  assert.deepEqual(found, { text: 'Ål & <ahoy>', flags })
  assert.match(
    await (await fetch(service.url)).text(),
    new RegExp(`<a href="/signals/${id}">Ål &amp; &lt;ahoy&gt;</a>`),
  )

  const script = await fetch(`${service.url}/assets/app.js`)
  assert.equal(script.headers.get('cache-control'), 'public,max-age=3600')
  assert.match(await script.text(), /^const \w+=document\.querySelector\("form"\);/)
  assert.equal((await fetch(`${service.url}/assets/../src/server.js`)).status, 404)
} finally {
  await service.stop()
}
assert.match(service.output(), /ended in order/)
process.stdout.write(`${image}: ${variant} answers, and ends in order\n`)
