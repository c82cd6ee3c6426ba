import { UserError } from '#diagnostics'
import { askedOf, type Place, request } from './place.ts'
import { registryError } from './registry-error.ts'

const pageLimit = 8 << 20
const mostPages = 10_000

/** All tags of a repository, sorted (distribution-spec, "Listing Tags"); pages are followed. */
export async function listTags(place: Place): Promise<readonly string[]> {
  const action = 'list the tags of'
  const tags = new Set<string>()
  const first = await place.server.address(`/v2/${place.path}/tags/list?n=1000`).catch((error: unknown) => {
    throw registryError(askedOf(place, action), error)
  })
  let next: URL | undefined = first
  for (let page = 0; next !== undefined && page < mostPages; page++) {
    const response = await request(place, { url: next }, action)
    const { list, link } = await readPage(place, action, response)
    const before = tags.size
    for (const tag of list) tags.add(tag)
    // A page without anything new would go on for ever.
    next = link !== undefined && tags.size > before ? new URL(link, next) : undefined
    if (next !== undefined && next.origin !== first.origin) next = undefined
  }
  return [...tags].sort()
}

async function readPage(
  place: Place,
  action: string,
  response: Awaited<ReturnType<typeof request>>,
): Promise<{ list: readonly string[]; link: string | undefined }> {
  const link = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(response.header('link') ?? '')?.[1]
  try {
    const bytes = await response.bytes(pageLimit)
    const { tags } = JSON.parse(bytes.toString('utf8')) as { tags?: unknown }
    const list = Array.isArray(tags)
      ? tags.filter((tag): tag is string => typeof tag === 'string' && tagForm.test(tag))
      : []
    return { list, link }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw registryError(askedOf(place, action), error)
    throw new UserError(`the tags of ${place.server.registry}/${place.path} came in a form that is not JSON`, {
      hint: 'the server does not speak the protocol of registries, or a proxy answers instead',
    })
  }
}

const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
