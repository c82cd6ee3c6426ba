/** An error that was already shown to the user, on its way to the top for its exit code. */
export class Reported extends Error {
  override readonly name = 'Reported'
  readonly exitCode: number

  constructor(exitCode: number, cause: unknown) {
    super('already reported', { cause })
    this.exitCode = exitCode
  }
}
