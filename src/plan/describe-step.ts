import { positionOf } from '#diagnostics'
import type { PlacedInstruction } from './discover.ts'
import { placeIn } from './stage-state.ts'

const textLimit = 300

/** What every step says about where it comes from. */
export function describeStep(placed: PlacedInstruction): {
  place: ReturnType<typeof placeIn>
  line: number
  text: string
} {
  const place = placeIn(placed)
  const text = placed.instruction.text.text.replace(/\s+/g, ' ').trim()
  const characters = Array.from(text.slice(0, textLimit * 2))
  const short = characters.length <= textLimit && text.length <= textLimit * 2
  return {
    place,
    line: positionOf(place.source, place.span.start).line,
    text: short ? text : `${characters.slice(0, textLimit - 1).join('')}…`,
  }
}
