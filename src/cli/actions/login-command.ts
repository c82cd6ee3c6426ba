import { UserError } from '#diagnostics'
import type { CliContext } from '../context.ts'
import type { LoginFlags } from '../commands/login.ts'
import { openCliRegistries } from '../open-registries.ts'
import { ask } from '../streams/ask.ts'
import { usageError } from '../usage-error.ts'

/** `slipway login`: shows name and password to the registry and keeps them where docker would. */
export async function loginCommand(text: string, flags: LoginFlags, context: CliContext): Promise<number> {
  const registry = registryOf(text)
  if (flags.passwordStdin && flags.username === undefined) {
    throw usageError('--password-stdin needs --username', 'add -u NAME')
  }
  if (!flags.passwordStdin && !context.stdin.isTTY) {
    throw usageError('nobody is there to ask for the password', 'use -u NAME --password-stdin')
  }
  const username = flags.username ?? (await ask('Username: ', false, context)).trim()
  if (username === '' || username.includes(':')) {
    throw usageError(`${JSON.stringify(username)} is not a user name`, 'it has at least one character, and no colon')
  }
  const password = flags.passwordStdin ? await passwordFromInput(context) : await ask('Password: ', true, context)
  if (password === '') throw usageError('the password is empty', 'give one')
  await using open = openCliRegistries(flags, context)
  const credential = { kind: 'password', username, password } as const
  const asked = await open.registries.check(registry, credential)
  const place = await open.credentials.save(registry, credential)
  if (!asked) context.stderr.write(`${registry} lets everybody in: the password was not checked\n`)
  const plain = place.startsWith('docker-credential-') ? '' : ', not encrypted'
  context.stderr.write(`kept in ${place}${plain}\n`)
  context.stdout.write('Login Succeeded\n')
  return 0
}

/** `slipway logout`. */
export async function logoutCommand(text: string, context: CliContext): Promise<number> {
  const registry = registryOf(text)
  await using open = openCliRegistries({}, context)
  const places = await open.credentials.forget(registry)
  context.stdout.write(
    places.length === 0
      ? `Not logged in to ${registry}\n`
      : `Removed the credentials for ${registry} from ${places.join(' and ')}\n`,
  )
  return 0
}

function registryOf(text: string): string {
  const host = text.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
  if (/^(?:index\.|registry-1\.)?docker\.io$/.test(host)) return 'docker.io'
  if (/^[A-Za-z0-9.\-[\]:]+$/.test(host)) return host
  throw new UserError(`${JSON.stringify(text)} is not a registry`, { hint: 'write HOST or HOST:PORT' })
}

const passwordLimit = 1 << 16

async function passwordFromInput({ stdin }: CliContext): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array))
    size += (chunk as Uint8Array).length
    if (size > passwordLimit) throw usageError('what comes from standard input is too long for a password', 'check it')
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
