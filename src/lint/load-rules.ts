/** The rules of `slipway lint`: a build, which needs only the build checks, does not load them. */
export async function loadRules() {
  const [{ lintWithRules, defaultLintSettings }, table, { applyFixes }, { parseShell }, { stageViews }] =
    await Promise.all([
      import('./lint-with-rules.ts'),
      import('./rules/rule-table.ts'),
      import('./apply-fixes.ts'),
      import('./shell/parse-shell.ts'),
      import('./rules/run-rules.ts'),
    ])
  return { lintWithRules, defaultLintSettings, applyFixes, parseShell, stageViews, ...table }
}
