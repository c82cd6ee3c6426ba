import type { Word } from '#dockerfile'
import type { Finding, Subject } from './finding.ts'

/** ConsistentInstructionCasing: keywords that mix cases, or differ from most others of the file. */
export function checkCasing({ tree }: Subject): readonly Finding[] {
  const keywords = [
    ...tree.globalArgs,
    ...tree.stages.flatMap(({ from, instructions }) => [from, ...instructions]),
  ].map(({ keyword }) => keyword)
  const lower = keywords.filter(isLower).length
  const upper = keywords.filter(isUpper).length
  const wantLower = lower > upper
  return keywords
    .filter(keyword => !(wantLower ? isLower(keyword) : isUpper(keyword)))
    .map(keyword => ({
      code: 'ConsistentInstructionCasing',
      message: `${keyword.text} is not written like the other instructions (${wantLower ? 'lower case' : 'upper case'})`,
      hint: `write ${wantLower ? keyword.text.toLowerCase() : keyword.text.toUpperCase()}`,
      span: keyword.span,
    }))
}

export function isLower({ text }: Word): boolean {
  return text === text.toLowerCase()
}

export function isUpper({ text }: Word): boolean {
  return text === text.toUpperCase()
}
