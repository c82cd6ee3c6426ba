import { readFileSync } from 'node:fs'
import mustache from 'mustache'
import { nanoid } from 'nanoid'
import polka from 'polka'
import sirv from 'sirv'
import { spell } from './spell.js'

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8')
const assets = sirv(new URL('../dist', import.meta.url).pathname, { maxAge: 3600 })
/** Signals by their id, the newest ones last. */
const signals = new Map()

const { server } = polka()
  .use('/assets', assets)
  .get('/', (_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(mustache.render(page, { signals: [...signals].map(([id, { text }]) => ({ id, text })) }))
  })
  .get('/signals/:id', (request, response) => {
    const signal = signals.get(request.params.id)
    response.statusCode = signal ? 200 : 404
    json(response, signal ?? { error: 'no such signal' })
  })
  .post('/signals', async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const [id, flags] = [nanoid(), spell(text)]
    signals.set(id, { text, flags })
    response.statusCode = 201
    json(response, { id, flags })
  })
  .listen(Number(process.env.PORT ?? 8080), () => console.log('listening on port %d', server.address().port))

function json(response, value) {
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(value))
}

// As the first process of a container, Node gets no default for SIGTERM: it has to listen.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => console.log('ended in order'))
    server.closeIdleConnections()
  })
}
