import type { Entitlement } from '#plan'
import { choice } from './choice.ts'

/** `--allow`. */
export const parseEntitlement: (text: string) => Entitlement = choice('--allow', ['network.host', 'security.insecure'])
