import type { BuildCase } from './build-case.ts'

/** The smallest case found, by taking away one part after the other, that still fails. At most `tries` tries. */
export async function shrinkCase(
  buildCase: BuildCase,
  fails: (smaller: BuildCase) => Promise<boolean>,
  tries = 60,
): Promise<BuildCase> {
  let best = buildCase
  let left = tries
  for (let progress = true; progress; ) {
    progress = false
    for (const smaller of smallerCases(best)) {
      if (left-- <= 0) return best
      if (!(await fails(smaller))) continue
      best = smaller
      progress = true
      break
    }
  }
  return best
}

/** Every case with one part less, from the end. */
function* smallerCases(buildCase: BuildCase): Generator<BuildCase> {
  const { instructions, objects, ignore, buildArgs } = buildCase
  for (const at of indexes(instructions)) {
    if (/^from/i.test(instructions[at] ?? '')) {
      // An engine of old dies of a file without any stage.
      if (instructions.slice(0, at).some(text => /^from/i.test(text)))
        yield { ...buildCase, instructions: instructions.slice(0, at) }
    } else yield { ...buildCase, instructions: instructions.toSpliced(at, 1) }
  }
  for (const at of indexes(ignore)) yield { ...buildCase, ignore: ignore.toSpliced(at, 1) }
  for (const at of indexes(objects)) yield { ...buildCase, objects: objects.toSpliced(at, 1) }
  for (const name of Object.keys(buildArgs)) {
    const { [name]: _, ...rest } = buildArgs
    yield { ...buildCase, buildArgs: rest }
  }
  for (const at of indexes(instructions)) {
    const plain = (instructions[at] ?? '').replace(/ --(chown|chmod)=\S+/, '')
    if (plain !== instructions[at]) yield { ...buildCase, instructions: instructions.with(at, plain) }
  }
  if (buildCase.cached) yield { ...buildCase, cached: false }
}

function indexes(list: readonly unknown[]): number[] {
  return [...list.keys()].reverse()
}
