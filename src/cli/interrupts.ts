import { constants } from 'node:os'

/** Signals that ask the process to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

const endSignals: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Two of a kind within this time (milliseconds) are one: a launcher passes on what the terminal already sent to us. */
const sameMoment = 60

/** Why work was stopped: the reason of `Interrupts.signal`. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Signals from outside as an `AbortSignal`. */
export interface Interrupts extends Disposable {
  /** Aborted by the first signal, with an `Interrupted` as its reason. */
  readonly signal: AbortSignal
  /** Stops the work from inside, as a signal does: nobody reads our output any more. */
  readonly stop: (reason: Error) => void
  /**
   * Until disposed, signals go to `take` and stop nothing: a program in the foreground decides what they mean.
   */
  readonly takeOver: (take: (signal: EndSignal) => void) => Disposable
}

/** The parts of `process` that are used, to test without sending real signals. */
export interface SignalSource {
  on(event: EndSignal, listener: () => void): unknown
  off(event: EndSignal, listener: () => void): unknown
}

/** What the process ends with after a signal: 128 + its number, as shells have it. */
export function exitCodeOf(signal: EndSignal): number {
  return 128 + constants.signals[signal]
}

/**
 * Listens to SIGINT, SIGTERM and SIGHUP. The first aborts; `exit` is called at once on the second, for who does not
 * want to wait for the clean-up.
 */
export function watchInterrupts(
  source: SignalSource,
  exit: (code: number) => void,
  now: () => number = () => performance.now(),
): Interrupts {
  const controller = new AbortController()
  let taker: ((signal: EndSignal) => void) | undefined
  let last: { readonly signal: EndSignal; readonly time: number } | undefined
  const receive = (signal: EndSignal): void => {
    const time = now()
    if (last?.signal === signal && time - last.time < sameMoment) return
    last = { signal, time }
    if (taker) taker(signal)
    else if (controller.signal.aborted) exit(exitCodeOf(signal))
    else controller.abort(new Interrupted(`stopped by ${signal}`, exitCodeOf(signal)))
  }
  const listeners = endSignals.map(signal => [signal, () => receive(signal)] as const)
  for (const [signal, listener] of listeners) source.on(signal, listener)
  return {
    signal: controller.signal,
    stop: reason => controller.abort(reason),
    takeOver(take) {
      const previous = taker
      taker = take
      return {
        [Symbol.dispose]: () => {
          taker = previous
        },
      }
    },
    [Symbol.dispose]: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}
