import { openHttp } from '#http'
import {
  openRegistries,
  openStoredCredentials,
  type Registries,
  registrySettings,
  serverTls,
  type StoredCredentials,
} from '#registry'
import type { CliContext } from './context.ts'
import type { RegistryFlags } from './options/registry-options.ts'

/** The way to registries for one command, with the credentials and certificates of this machine. */
export interface CliRegistries extends AsyncDisposable {
  readonly registries: Registries
  readonly credentials: StoredCredentials
}

/** Opens it; nothing is asked or read before something is wanted. Throws a `UserError` for wrong settings. */
export function openCliRegistries(flags: RegistryFlags, context: CliContext): CliRegistries {
  const { environment: env, interrupts, stderr } = context
  const { insecure, mirrors } = registrySettings({
    env,
    ...(flags.registryMirror && { mirrors: flags.registryMirror }),
    ...(flags.insecureRegistry && { insecure: flags.insecureRegistry }),
  })
  const http = openHttp({ env, tlsOf: serverTls(env, insecure) })
  const credentials = openStoredCredentials({
    env,
    signal: interrupts.signal,
    warn: message => void stderr.write(`warning: ${message}\n`),
  })
  const registries = openRegistries({ http, credentials, insecure, mirrors, signal: interrupts.signal })
  return { registries, credentials, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}
