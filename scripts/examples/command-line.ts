import { execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'

const executable = fileURLToPath(new URL('../../bin/slipway.js', import.meta.url))

/** Runs `slipway` and other programs with the state directory of this run. */
export interface CommandLine {
  /** Runs `slipway` in a directory, shows the command and what it writes, on standard error. Throws where it fails. */
  show(args: readonly string[], directory: string): Promise<void>
  /** Runs `slipway` silently and gives its standard output. */
  read(args: readonly string[]): Promise<string>
  /** Runs a TypeScript or JavaScript file in sight. */
  script(file: string, args: readonly string[], directory: string): Promise<void>
}

/** `env` is added to our own environment. */
export function openCommandLine(env: Readonly<Record<string, string>>): CommandLine {
  const environment = { ...process.env, ...env }
  const run = (args: readonly string[], directory: string, name: string): Promise<void> => {
    process.stderr.write(`\n${styleText('bold', `$ ${name}`, { stream: process.stderr })}\n`)
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, { cwd: directory, env: environment, stdio: ['ignore', 2, 2] })
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        code === 0 ? resolve() : reject(new Error(`${name}: ${signal ?? `exit code ${code}`}`)),
      )
    })
  }
  return {
    show: (args, directory) => run([executable, ...args], directory, `slipway ${args.join(' ')}`),
    script: (file, args, directory) => run([file, ...args], directory, `node ${[file, ...args].join(' ')}`),
    read: args =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, [executable, ...args], { env: environment, maxBuffer: 2 ** 28 }, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        )
      }),
  }
}
