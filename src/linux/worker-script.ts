import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The file of a thread's program, by its path below `src` without an extension (`layer/hash-worker`): as the sources have it, or as a
 * bundle, whose files lie at the top or one level deep. Undefined where it is not beside the program.
 */
export function workerScript(name: string): string | undefined {
  const places = [`../${name}.ts`, `../${name}.js`, `./${name}.js`]
  return places.map(place => fileURLToPath(new URL(place, import.meta.url))).find(path => existsSync(path))
}
