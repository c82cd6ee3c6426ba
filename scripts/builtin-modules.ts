import { builtinModules as names } from 'node:module'
import type { Plugin } from 'rolldown'

const prefix = '\0builtin:'

/** Loaded by every process of Node anyway; called too often for a wrapper. */
const present = new Set(['node:fs', 'node:path', 'node:os', 'node:url', 'node:events', 'node:crypto'])

/**
 * Imports of Node's own modules, later. A module such as `node:child_process`, `node:zlib` or `node:util` is loaded with the
 * file that names it, and with it others: each costs a start milliseconds. Here functions of such modules load theirs
 * with the first call; of those that every start needs what is used is taken at once.
 */
export function builtinModules(): Plugin {
  return {
    name: 'builtin-modules',
    resolveId: { filter: { id: /^node:/ }, handler: id => `${prefix}${id}` },
    load: {
      filter: { id: /^\0builtin:/ },
      handler: id => ({ code: moduleText(id.slice(prefix.length)), moduleSideEffects: false }),
    },
  }
}

function moduleText(id: string): string {
  if (!names.includes(id.replace(/^node:/, '')) && !names.includes(id)) throw new Error(`${id} is no module of Node`)
  const found = process.getBuiltinModule(id) as unknown as Record<string, unknown>
  const exported = Object.keys(found).filter(name => /^[\w$]+$/.test(name) && name !== 'default')
  return present.has(id) ? eager(id, exported) : lazy(id, exported, found)
}

function eager(id: string, exported: readonly string[]): string {
  return [
    `const it = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(id)})`,
    'export default it',
    ...exported.map((name, i) => `const v${i} = /* @__PURE__ */ (() => it.${name})(); export { v${i} as ${name} }`),
  ].join('\n')
}

function lazy(id: string, exported: readonly string[], found: Readonly<Record<string, unknown>>): string {
  const lines = exported.map((name, i) => {
    const value = found[name]
    const made =
      typeof value === 'function' && !isClass(name)
        ? `(...args) => it().${name}(...args)`
        : typeof value === 'object' && value !== null
          ? `/* @__PURE__ */ view(() => it().${name})`
          : `/* @__PURE__ */ (() => it().${name})()`
    return `const v${i} = ${made}; export { v${i} as ${name} }`
  })
  return [
    `const it = () => process.getBuiltinModule(${JSON.stringify(id)})`,
    'const view = get => new Proxy({}, { get: (_, name) => get()[name], has: (_, name) => name in get() })',
    'export default /* @__PURE__ */ view(it)',
    ...lines,
  ].join('\n')
}

/** By Node's naming: `Readable`, `DatabaseSync`, but not `createGzip`. */
function isClass(name: string): boolean {
  return /^[A-Z]/.test(name)
}
