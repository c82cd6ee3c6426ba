/**
 * Until disposed, what is made gets the mode that is asked for less 022 (umask(2)), whatever our user's own mask is. The mask is the
 * process's: hold it where nothing else is made meanwhile. A thread cannot change it, and nothing happens there.
 */
export function usualUmask(): Disposable {
  const before = setUmask(0o022)
  return {
    [Symbol.dispose]() {
      if (before !== undefined) setUmask(before)
    },
  }
}

function setUmask(mask: number): number | undefined {
  try {
    return process.umask(mask)
  } catch {
    return undefined
  }
}
