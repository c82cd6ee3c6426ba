import { harmlessPlaces } from './harmless-places.ts'
import { harmlessTexts } from './harmless-texts.ts'
import { harmlessValues } from './harmless-values.ts'
import type { Sample } from './sample.ts'
import { secretFiles } from './secret-files.ts'
import { secretKeys } from './secret-keys.ts'
import { secretPlaces } from './secret-places.ts'
import { secretTokens } from './secret-tokens.ts'

/** Texts with secrets, gathered from what providers and tools document, without a look at the rules that must find them. */
export const secrets: readonly Sample[] = [...secretKeys, ...secretTokens, ...secretFiles, ...secretPlaces]

/** Texts that look like them and hold none. */
export const nearMisses: readonly Sample[] = [...harmlessValues, ...harmlessTexts, ...harmlessPlaces]
