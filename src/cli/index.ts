/**
 * cli: what a person sees: arguments, progress, tables, errors, exit codes.
 *
 * In: a command line, the environment, the terminal, signals. Out: results on stdout, progress and errors on stderr, an
 * exit code. Always: commands declare their options, call one function and print; nothing else in the project touches
 * the terminal, the environment or the process.
 */
export { main } from './main.ts'
