import type { StepInputs } from './step-kind.ts'

/** Does `work`, and tells how long it took as a part of the step; `waitsFor` names the stage whose result it waits for. */
export async function timed<T>(
  { report, now }: Pick<StepInputs, 'report' | 'now'>,
  part: { readonly name: string; readonly waitsFor?: string },
  work: () => T | Promise<T>,
): Promise<T> {
  const began = now()
  try {
    return await work()
  } finally {
    report({ kind: 'span', ...part, began })
  }
}
