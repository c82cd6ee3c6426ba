import { Option } from 'commander'
import { usageError } from '../usage-error.ts'

/** An option with a whole number that is not negative. */
export function countOption(flags: string, description: string, fallback: number): Option {
  return new Option(flags, description).default(fallback).argParser(text => {
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw usageError(`invalid number ${JSON.stringify(text)} for ${flags.split(' ')[0]}`, 'write a whole number')
  })
}
