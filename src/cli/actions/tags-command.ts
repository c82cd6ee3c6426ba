import { UserError } from '#diagnostics'
import { parseReference } from '#oci'
import type { CliContext } from '../context.ts'
import { openCliRegistries } from '../open-registries.ts'
import type { RegistryFlags } from '../options/registry-options.ts'

/** `slipway tags`. */
export async function tagsCommand(text: string, flags: RegistryFlags, context: CliContext): Promise<number> {
  const name = text.replace(/^docker:\/\//, '')
  const reference = parseReference(name)
  if (/[:@]/.test(name.slice(name.lastIndexOf('/') + 1))) {
    throw new UserError(`"${text}" names one image, and tags are those of a repository`, {
      hint: 'leave out what follows the name of the repository',
    })
  }
  await using open = openCliRegistries(flags, context)
  const tags = await open.registries.repository(reference).tags()
  context.stdout.write(tags.map(tag => `${tag}\n`).join(''))
  return 0
}
