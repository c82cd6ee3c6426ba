const names = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  ).split(' '),
)
for (let i = 1; i <= 15; i++) names.add(`RTMIN+${i}`)
for (let i = 1; i <= 14; i++) names.add(`RTMAX-${i}`)

/** Whether a text is a signal of Linux: a number other than 0, or a name in any case, with or without SIG. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) !== 0
  return names.has(text.toUpperCase().replace(/^SIG/, ''))
}
