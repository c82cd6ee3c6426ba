/**
 * Names the rules, so that what they found can be remembered: other rules, another name. `npm run build` puts the digest of the
 * rules here (`scripts/rules-version.ts`); undefined where the sources run as they are, and nothing is remembered.
 */
export const rulesVersion: string | undefined = undefined
