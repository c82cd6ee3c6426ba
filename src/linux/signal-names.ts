import { constants } from 'node:os'

/** The name of a signal with this number; undefined for what is none. */
export function signalName(number: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return found?.[0] as NodeJS.Signals | undefined
}

/** A signal as images name it (`SIGINT`, `INT`, `2`, in any case); undefined for what is none here. */
export function parseSignal(text: string): NodeJS.Signals | undefined {
  if (/^\d+$/.test(text)) return signalName(Number(text))
  const name = text.toUpperCase()
  const whole = name.startsWith('SIG') ? name : `SIG${name}`
  return Object.hasOwn(constants.signals, whole) ? (whole as NodeJS.Signals) : undefined
}
