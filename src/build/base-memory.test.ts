import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ComposedBase } from '#debian'
import { openStore, type Store } from '#store'
import { openBaseMemory, rememberBase } from './base-memory.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-base-memory-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The store of another process, so many milliseconds after 1970. */
const open = (now: number): Store => openStore(root, { now: () => now })

test('a base that is recalled is not pruned meanwhile; one that was pruned is not recalled', async () => {
  const base = {
    key: 'key',
    omitted: [],
    warnings: [{ code: 'base', message: 'careful' }],
  } as Partial<ComposedBase> as ComposedBase
  {
    using composing = open(1000)
    const id = await composing.blobs.put(Buffer.from('{}'))
    const diffId = await composing.blobs.put(Buffer.from('tar'))
    const entries = [Buffer.from('[]')]
    await composing.layers.add({ id: 'layer', diffId, created: '2026-01-01T00:00:00Z', tar: true, entries })
    composing.images.add(id, ['layer'])
    rememberBase(composing, id, base)
  }
  const recall = (store: Store, key = 'key'): unknown => openBaseMemory(store, 'composer').recall(key)
  const prune = async (now: number): Promise<number> => {
    using pruning = open(now)
    return (await pruning.prune({ all: false })).layers
  }
  {
    using user = open(2000)
    expect(recall(user, 'another')).toBeUndefined()
    expect(recall(user)).toEqual({
      name: expect.stringMatching(/^sha256:/) as unknown,
      omitted: [],
      warnings: base.warnings,
    })
    expect(await prune(3000)).toBe(0)
    expect(recall(user)).toBeDefined()
  }
  expect(await prune(4000)).toBe(1)
  using later = open(5000)
  expect(recall(later)).toBeUndefined()
})
