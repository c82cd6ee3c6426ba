import { type Source, type Span, UserError } from '#diagnostics'

/** An error at a place in the text. */
export function syntaxError(
  source: Source,
  span: Span,
  { message, hint }: { message: string; hint: string },
): UserError {
  return new UserError(message, { hint, at: { source, span } })
}
