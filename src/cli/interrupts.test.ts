import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { Interrupted, watchInterrupts } from './interrupts.ts'

function watched() {
  const source = new EventEmitter()
  const exits: number[] = []
  const clock = { time: 0 }
  const interrupts = watchInterrupts(
    source,
    code => exits.push(code),
    () => clock.time,
  )
  return { source, exits, clock, interrupts }
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])('%s aborts; a second one leaves at once with %i', (signal, code) => {
  const { source, exits, clock, interrupts } = watched()
  source.emit(signal)
  expect(interrupts.signal.aborted).toBe(true)
  expect(interrupts.signal.reason).toBeInstanceOf(Interrupted)
  expect((interrupts.signal.reason as Interrupted).exitCode).toBe(code)
  expect(exits).toEqual([])
  clock.time = 1000
  source.emit(signal)
  expect(exits).toEqual([code])
})

test('two of a kind at the same moment are one', () => {
  const { source, exits, clock } = watched()
  source.emit('SIGINT')
  clock.time = 5
  source.emit('SIGINT')
  expect(exits).toEqual([])
  source.emit('SIGTERM')
  expect(exits).toEqual([143])
})

test('while taken over, signals stop nothing', () => {
  const { source, exits, clock, interrupts } = watched()
  const taken: string[] = []
  {
    using _ = interrupts.takeOver(signal => taken.push(signal))
    source.emit('SIGINT')
    clock.time = 1000
    source.emit('SIGINT')
  }
  expect(taken).toEqual(['SIGINT', 'SIGINT'])
  expect(interrupts.signal.aborted).toBe(false)
  expect(exits).toEqual([])
  clock.time = 2000
  source.emit('SIGINT')
  expect(interrupts.signal.aborted).toBe(true)
})

test('disposed, it listens no more', () => {
  const { source, interrupts } = watched()
  interrupts[Symbol.dispose]()
  expect(source.eventNames()).toEqual([])
})
