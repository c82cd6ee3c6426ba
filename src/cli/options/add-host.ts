import { usageError } from '../usage-error.ts'

/** A line of `/etc/hosts` in the sandbox. */
export interface ExtraHost {
  readonly name: string
  readonly address: string
}

/**
 * `--add-host NAME:ADDRESS` or `NAME=ADDRESS`; an IPv6 address may stand in brackets. `host-gateway` is this machine,
 * which commands that share its network reach as 127.0.0.1. Throws a `UserError` (wrong usage).
 */
export function parseAddHost(text: string): ExtraHost {
  const [, name = '', given = ''] = /^([^:=]*)[:=](.*)$/s.exec(text) ?? []
  const form = 'write --add-host NAME:ADDRESS, such as --add-host db.test:10.0.0.5'
  if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(name)) {
    throw usageError(`--add-host ${text}: ${JSON.stringify(name)} is not a host name`, form)
  }
  if (given === 'host-gateway') return { name, address: '127.0.0.1' }
  const address = /^\[(.*)\]$/.exec(given)?.[1] ?? given
  if (!isAddress(address)) {
    throw usageError(`--add-host ${text}: ${JSON.stringify(given)} is not an IP address`, form)
  }
  return { name, address }
}

/** IPv4 in four decimal numbers, or IPv6 without a zone. */
function isAddress(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text.split('.').every(part => Number(part) < 256)
  return /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text) && URL.canParse(`http://[${text}]/`)
}
