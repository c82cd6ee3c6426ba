import type { Command } from 'commander'
import { collect } from './collect.ts'

/** Options of every command that speaks to registries. */
export interface RegistryFlags {
  /** `HOST=MIRROR`, as given. */
  readonly registryMirror?: readonly string[]
  readonly insecureRegistry?: readonly string[]
}

/** Declares them. */
export function addRegistryOptions(command: Command): void {
  command
    .option(
      '--registry-mirror <host=mirror>',
      'read from this mirror before the registry itself (repeatable)',
      collect((text: string) => text),
    )
    .option(
      '--insecure-registry <host>',
      'speak to this registry without TLS, or with any certificate (repeatable)',
      collect((text: string) => text),
    )
}
