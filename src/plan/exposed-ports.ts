import { isIP } from 'node:net'
import { type Place, UserError } from '#diagnostics'

/** More than all ports of all protocols make no sense, and ranges multiply quickly. */
const portLimit = 3 * 65_536

/**
 * `[ip:][host:]port[-end][/proto]` words of EXPOSE → `port/proto` entries, ranges one by one. Address and host port are
 * checked, then dropped: they have no meaning in an image. `already`: how many the stage has listed so far. Throws a `UserError`.
 */
export function exposedPorts(
  words: readonly { readonly text: string; readonly place: Place }[],
  already: number,
): readonly string[] {
  const ports: string[] = []
  for (const { text, place } of words) {
    ports.push(...portsOf(text, place))
    if (already + ports.length > portLimit) throw invalid('too many ports', text, place)
  }
  return ports
}

function portsOf(text: string, place: Place): readonly string[] {
  const parts = text.split(':')
  const container = parts.at(-1) ?? ''
  const host = parts.at(-2) ?? ''
  const address = parts.slice(0, -2).join(':')
  const slash = container.indexOf('/')
  const port = slash === -1 ? container : container.slice(0, slash)
  const protocol = (slash === -1 ? '' : container.slice(slash + 1)).toLowerCase() || 'tcp'
  if (port === '') throw invalid('no port', text, place)
  if (!['tcp', 'udp', 'sctp'].includes(protocol))
    throw invalid(`invalid protocol ${JSON.stringify(protocol)}`, text, place)
  const bare = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address
  if (bare !== '' && isIP(bare) === 0) throw invalid(`invalid IP address ${JSON.stringify(address)}`, text, place)
  const range = rangeOf(port)
  if (!range) throw invalid(`invalid port ${JSON.stringify(port)}`, text, place)
  const hostRange = host === '' ? range : rangeOf(host)
  if (!hostRange) throw invalid(`invalid host port ${JSON.stringify(host)}`, text, place)
  const count = range.end - range.start + 1
  if (count > 1 && hostRange.end - hostRange.start + 1 !== count) {
    throw invalid('the ranges of container and host ports differ in length', text, place)
  }
  return Array.from({ length: count }, (_, i) => `${range.start + i}/${protocol}`)
}

function rangeOf(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text)
  if (!match) return undefined
  const start = Number(match[1])
  const end = Number(match[2] ?? match[1])
  return start <= end && end <= 65_535 ? { start, end } : undefined
}

function invalid(why: string, text: string, place: Place): UserError {
  return new UserError(`EXPOSE ${text}: ${why}`, {
    hint: 'write PORT, PORT/udp or FIRST-LAST, with ports from 0 to 65535 and protocol tcp, udp or sctp',
    at: place,
  })
}
