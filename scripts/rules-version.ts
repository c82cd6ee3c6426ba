import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'rolldown'

/** Gives `src/secrets/rules-version.ts` the digest of all that decides what is found in a configuration. */
export function rulesVersion(repository: string): Plugin {
  return {
    name: 'rules-version',
    load: {
      filter: { id: /\/src\/secrets\/rules-version\.ts$/ },
      handler: () => ({ code: `export const rulesVersion = ${JSON.stringify(digestOfRules(repository))}` }),
    },
  }
}

function digestOfRules(repository: string): string {
  const hash = createHash('sha256')
  for (const room of ['secrets', 'scan']) {
    const files = readdirSync(join(repository, 'src', room)).filter(name => /(?<!\.test)\.ts$/.test(name))
    for (const name of files.sort())
      hash.update(`${room}/${name}\0`).update(readFileSync(join(repository, 'src', room, name)))
  }
  return hash.digest('hex').slice(0, 16)
}
