import { UserError } from '#diagnostics'
import { type Digest, isDigest } from './digest.ts'

/** A normalised image reference (distribution/reference grammar). */
export interface Reference {
  /** Host and optional port: `docker.io`, `localhost:5000`. */
  readonly domain: string
  /** `library/debian`. */
  readonly path: string
  readonly tag?: string
  readonly digest?: Digest
}

const pathForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const domainForm =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/**
 * `debian`, `user/app:1`, `host:5000/a/b@sha256:…` → a normalised reference: `docker.io` and `library/` are added, and
 * the tag `latest` where neither tag nor digest is given. Throws a `UserError` that says which part is wrong.
 */
export function parseReference(text: string): Reference {
  const [named = '', ...digests] = text.split('@')
  if (digests.length > 1) throw invalid(text, 'it has more than one "@"')
  const digest = digests[0]
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, `${JSON.stringify(digest)} is not a sha256 digest`)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  const name = hasTag ? named.slice(0, colon) : named
  const tag = hasTag ? named.slice(colon + 1) : undefined
  if (tag !== undefined && !tagForm.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a valid tag`)
  if (/^[a-f0-9]{64}$/.test(name)) throw invalid(text, 'a name of 64 hexadecimal digits would be taken for an image id')
  const { domain, path } = splitDomain(name)
  if (!domainForm.test(domain)) throw invalid(text, `${JSON.stringify(domain)} is not a valid registry host`)
  if (!pathForm.test(path)) {
    throw invalid(
      text,
      path === path.toLowerCase() ? 'its repository name is not valid' : 'a repository name must be lower case',
    )
  }
  if (path.length > 255) throw invalid(text, 'its repository name is longer than 255 characters')
  const finalTag = tag ?? (digest === undefined ? 'latest' : undefined)
  return { domain, path, ...(finalTag !== undefined && { tag: finalTag }), ...(digest !== undefined && { digest }) }
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, slash)
  const isDomain = slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  const domain = isDomain ? first : 'docker.io'
  const path = isDomain ? name.slice(slash + 1) : name
  if (domain === 'docker.io' || domain === 'index.docker.io') {
    return { domain: 'docker.io', path: path.includes('/') ? path : `library/${path}` }
  }
  return { domain, path }
}

function invalid(text: string, why: string): UserError {
  return new UserError(`invalid image reference ${JSON.stringify(text)}: ${why}`, {
    hint: 'a reference is [HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST], in lower case, such as debian:bookworm',
  })
}

/** The whole, canonical form: `docker.io/library/debian:latest`. */
export function formatReference(reference: Reference): string {
  const { domain, path, tag, digest } = reference
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** The short form that people type: `debian:latest`. */
export function familiarReference(reference: Reference): string {
  return formatReference(reference).replace(/^docker\.io\/(library\/(?=[^/]+$))?/, '')
}
