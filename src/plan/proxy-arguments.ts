import type { Scope } from './scope.ts'

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY']

/** Arguments that may be given without ARG: they reach commands, but neither history nor cache keys. */
export function isProxyArgument(name: string): boolean {
  return proxies.includes(name.toUpperCase())
}

/** The proxy arguments for a command, each in both cases, less those that its environment sets anyway. */
export function unkeyedEnvironment(buildArgs: ReadonlyMap<string, string>, scope: Scope): readonly string[] {
  return proxies.flatMap(upper => {
    const lower = upper.toLowerCase()
    const value = buildArgs.get(upper) ?? buildArgs.get(lower)
    if (value === undefined || value === '') return []
    return [upper, lower].filter(name => !scope.has(name)).map(name => `${name}=${buildArgs.get(name) ?? value}`)
  })
}
