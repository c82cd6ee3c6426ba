const handedOn = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
/** They reach a child on the same terminal by themselves. */
const fromKeyboard = ['SIGINT', 'SIGQUIT'] as const

/** While it lasts, our process hands signals on instead of obeying them, and leaves those of the keyboard to the child. */
export function forwardSignals(handOn: (name: NodeJS.Signals) => void): Disposable {
  const ignore = (): void => {}
  for (const name of handedOn) process.on(name, handOn)
  for (const name of fromKeyboard) process.on(name, ignore)
  return {
    [Symbol.dispose]() {
      for (const name of handedOn) process.off(name, handOn)
      for (const name of fromKeyboard) process.off(name, ignore)
    },
  }
}
