import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { RequestListener, ServerResponse } from 'node:http'
import { join } from 'node:path'

/** git-http-backend(1), where git is installed with it. */
const backend = ((): string => {
  try {
    return join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')
  } catch {
    return ''
  }
})()

export const hasGitBackend = existsSync(backend)

/** Serves the repositories below a directory; with `authorization`, only to who sends that header. */
export function gitBackend(directory: string, authorization?: string): RequestListener {
  return (request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      return
    }
    const [path = '', query = ''] = (request.url ?? '').split('?')
    const env = {
      PATH: process.env['PATH'],
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    }
    const child = spawn(backend, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    request.pipe(child.stdin)
    answer(child.stdout, response)
  }
}

/** What a CGI program says (RFC 3875, section 6), as a response. */
function answer(output: NodeJS.ReadableStream, response: ServerResponse): void {
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  output.on('end', () => {
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    const headers = all.subarray(0, end).toString().split('\r\n')
    const pairs = headers.map(line => line.split(/: (.*)/).slice(0, 2) as [string, string])
    const status = Number(pairs.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200)
    response.writeHead(status, Object.fromEntries(pairs.filter(([name]) => name !== 'Status')))
    response.end(all.subarray(end + 4))
  })
}
