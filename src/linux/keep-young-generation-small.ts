import { setFlagsFromString } from 'node:v8'

/**
 * Tells V8 to stop enlarging its young generation, which otherwise takes up to 96 MiB. For work that is about to hold
 * very many small objects: nearly all of them survive, so a larger young generation brings nothing but its size.
 * Costs nothing once done; it cannot be undone.
 */
export function keepYoungGenerationSmall(): void {
  // Read by V8 each time it considers growing, so it may be set at any moment (heap/heap.cc, `NewSpace::Grow`).
  setFlagsFromString('--semi-space-growth-factor=1')
}
