import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasTool } from '../host.ts'

/** Whether Debian's package `docker-registry` is installed here. */
export const hasRegistry = hasTool('docker-registry')

/** A user's name and password. */
export interface Account {
  readonly username: string
  readonly password: string
}

export interface RegistrySetup {
  /** PEM files of the server. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string }
  /** Basic authentication for these. */
  readonly accounts?: readonly Account[]
  /** Token authentication; the file has the certificate that the tokens are signed with. */
  readonly token?: {
    readonly realm: string
    readonly service: string
    readonly issuer: string
    readonly certificates: string
  }
  /** Name to reach it by; default 127.0.0.1. */
  readonly host?: string
}

/** A running registry; it and what it stores are gone when it is disposed. */
export interface RunningRegistry extends AsyncDisposable {
  /** Host and port. */
  readonly host: string
  readonly origin: string
  /** Directory of what it stores. */
  readonly data: string
  /** What it wrote so far: one line of JSON for each request. */
  log(): string
}

/** Starts Debian's registry on a free port of 127.0.0.1. */
export async function startRegistry(setup: RegistrySetup = {}): Promise<RunningRegistry> {
  for (let tries = 1; ; tries++) {
    try {
      return await startAt(await freePort(), setup)
    } catch (error) {
      // Somebody else took the port meanwhile.
      if (tries === 5 || !/address already in use/.test(String(error))) throw error
    }
  }
}

async function startAt(port: number, setup: RegistrySetup): Promise<RunningRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-registry-'))
  const host = `${setup.host ?? '127.0.0.1'}:${port}`
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(directory, 'data') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: 'of the tests',
      ...(setup.tls && {
        tls: {
          certificate: setup.tls.certificate,
          key: setup.tls.key,
          ...(setup.tls.clientAuthority !== undefined && { clientcas: [setup.tls.clientAuthority] }),
        },
      }),
    },
    ...authentication(setup, directory),
  }
  // JSON is YAML.
  const file = join(directory, 'config.yml')
  writeFileSync(file, JSON.stringify(config))
  const output: string[] = []
  const child = spawn('docker-registry', ['serve', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const dispose = async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  for (let tries = 0; !/listening on/.test(output.join('')); tries++) {
    if (child.exitCode !== null || tries > 600) {
      await dispose()
      throw new Error(`docker-registry does not start:\n${output.join('')}`)
    }
    await sleep(50)
  }
  return {
    host,
    origin: `${setup.tls === undefined ? 'http' : 'https'}://${host}`,
    data: join(directory, 'data'),
    log: () => output.join(''),
    [Symbol.asyncDispose]: dispose,
  }
}

function authentication({ accounts, token }: RegistrySetup, directory: string): object {
  if (token !== undefined) {
    const { realm, service, issuer, certificates } = token
    return { auth: { token: { realm, service, issuer, rootcertbundle: certificates } } }
  }
  if (accounts === undefined) return {}
  const path = join(directory, 'htpasswd')
  const lines = accounts.map(({ username, password }) =>
    execFileSync('htpasswd', ['-Bbn', username, password]).toString().trim(),
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
  return { auth: { htpasswd: { realm: 'of the tests', path } } }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Files of a certificate authority and of a server or client that it vouches for. */
export interface Certificates {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** Makes an authority and a certificate for 127.0.0.1 and localhost, valid for clients as well, with openssl. */
export function makeCertificates(directory: string, name = 'server'): Certificates {
  const file = (ending: string) => join(directory, `${name}${ending}`)
  const authority = join(directory, 'ca.crt')
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n'
  if (!hasFile(authority)) {
    run(
      'req',
      '-x509',
      ...ec,
      '-days',
      '2',
      '-subj',
      '/CN=authority of the tests',
      '-keyout',
      join(directory, 'ca.key'),
      '-out',
      authority,
    )
  }
  writeFileSync(file('.ext'), names)
  run('req', ...ec, '-subj', `/CN=${name}`, '-keyout', file('.key'), '-out', file('.csr'))
  run(
    'x509',
    '-req',
    '-days',
    '2',
    '-in',
    file('.csr'),
    '-CA',
    authority,
    '-CAkey',
    join(directory, 'ca.key'),
    '-CAcreateserial',
    '-extfile',
    file('.ext'),
    '-out',
    file('.crt'),
  )
  return { authority, certificate: file('.crt'), key: file('.key') }
}

function hasFile(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
