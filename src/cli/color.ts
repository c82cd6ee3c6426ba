import { styleText } from 'node:util'

/** What of a stream decides about colour. */
export interface ColorTarget {
  readonly isTTY?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Whether to colour what goes to `target`. FORCE_COLOR decides when set (`0` and `false` say no); then NO_COLOR
 * (no-color.org), CLICOLOR_FORCE and CLICOLOR (bixense.com/clicolors), TERM=dumb; else only a terminal gets colours.
 */
export function wantsColor(target: ColorTarget, environment: Environment): boolean {
  const { FORCE_COLOR, NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM } = environment
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (CLICOLOR_FORCE !== undefined && CLICOLOR_FORCE !== '' && CLICOLOR_FORCE !== '0') return true
  if (CLICOLOR === '0' || TERM === 'dumb') return false
  return target.isTTY === true
}

type Style = Parameters<typeof styleText>[0]

/** Paints text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** A `Paint` that colours or doesn't. */
export function painter(color: boolean): Paint {
  return color ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text
}
