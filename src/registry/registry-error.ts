import { UserError } from '#diagnostics'
import { HttpError, speaksNoTls } from '#http'

/** What was asked of a registry: for its errors. */
export interface Asked {
  /** As the user knows it: `docker.io`, `localhost:5000`. */
  readonly registry: string
  readonly repository?: string
  /** Goes on from "cannot": `push to`, `read the manifest latest of`. */
  readonly action: string
}

/** A registry refused or could not do something. The message names registry, repository and status. */
export class RegistryError extends UserError {
  readonly registry: string
  readonly repository: string | undefined
  /** Absent where no answer came. */
  readonly status: number | undefined
  /** What the registry calls it (distribution-spec, "Error Codes"): `DENIED`, `MANIFEST_UNKNOWN` … */
  readonly code: string | undefined

  constructor(
    message: string,
    options: Asked & { hint: string; status?: number; code?: string; details?: readonly string[]; cause?: unknown },
  ) {
    super(message, {
      hint: options.hint,
      ...(options.details !== undefined && { details: options.details }),
      ...(options.cause !== undefined && { cause: options.cause }),
    })
    this.registry = options.registry
    this.repository = options.repository
    this.status = options.status
    this.code = options.code
  }
}

/** `HttpError` becomes a `RegistryError`; everything else stays what it is. */
export function registryError(asked: Asked, error: unknown): unknown {
  if (!(error instanceof HttpError)) return error
  if (error.status !== undefined && error.status >= 400) return refused(asked, error.status, error.body, error)
  const hint = speaksNoTls(error)
    ? `check the port; if that is meant, allow it with "--insecure-registry ${asked.registry}"`
    : error.hint
  return new RegistryError(`cannot ${target(asked)}: ${error.message}`, { ...asked, hint, cause: error })
}

function refused(asked: Asked, status: number, body: string, cause?: unknown): RegistryError {
  const [first] = complaintsOf(body)
  const said =
    first === undefined
      ? ''
      : `: ${first.code.toLowerCase().replaceAll('_', ' ')}${first.message === '' ? '' : ` (${first.message})`}`
  return new RegistryError(`cannot ${target(asked)}: ${asked.registry} answered ${status}${said}`, {
    ...asked,
    status,
    hint: hintFor(asked, status, first?.code),
    ...(first !== undefined && { code: first.code }),
    ...(cause !== undefined && { cause }),
  })
}

function target({ registry, repository, action }: Asked): string {
  return `${action} ${repository === undefined ? registry : `${registry}/${repository}`}`
}

interface Complaint {
  readonly code: string
  readonly message: string
}

/** `{"errors":[{"code":…,"message":…}]}`; nothing of any other form is shown. */
function complaintsOf(body: string): readonly Complaint[] {
  try {
    const { errors } = JSON.parse(body) as { errors?: unknown }
    if (!Array.isArray(errors)) return []
    return errors.slice(0, 8).flatMap((error: unknown) => {
      const { code, message } = (error ?? {}) as Readonly<Record<string, unknown>>
      if (typeof code !== 'string') return []
      return [{ code: printable(code), message: typeof message === 'string' ? printable(message) : '' }]
    })
  } catch {
    return []
  }
}

/** One line of foreign text that cannot move the cursor. */
export function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ')
    .trim()
    .slice(0, 300)
}

function hintFor({ registry }: Asked, status: number, code: string | undefined): string {
  if (status === 401 || code === 'UNAUTHORIZED')
    return `log in with "slipway login ${registry}"; also private and missing repositories look like this`
  if (status === 403 || code === 'DENIED') {
    return `log in with "slipway login ${registry}" as somebody who may do this, and check the name of the repository`
  }
  if (code === 'NAME_UNKNOWN') return 'check the name of the repository; nothing was pushed there yet, or it is private'
  if (code === 'NAME_INVALID') return 'the registry does not allow this name for a repository'
  if (code === 'MANIFEST_UNKNOWN') return `"slipway tags" lists the tags of a repository`
  if (code === 'UNSUPPORTED' || status === 405)
    return 'the registry does not allow this; it may be read-only or a mirror'
  if (status === 404) return 'check the names of registry and repository'
  if (status === 413) return 'the registry, or a proxy before it, limits the size of uploads'
  if (status === 429)
    return 'the registry limits the number of requests: try again later, or log in to get a higher limit'
  if (status >= 500) return 'the registry has a problem; try again later'
  return 'the registry refuses this request'
}
