import { describe, expect, test, vi } from 'vitest'
import { proxyFor } from './proxy.ts'
import { retryDelay } from './retry.ts'

const proxy = 'http://proxy.example:3128/'

describe('proxyFor', () => {
  test.each([
    ['http://a.example/', { http_proxy: proxy }, proxy],
    ['https://a.example/', { http_proxy: proxy }, undefined],
    ['https://a.example/', { https_proxy: proxy }, proxy],
    ['https://a.example/', { HTTPS_PROXY: proxy }, proxy],
    ['https://a.example/', { all_proxy: proxy }, proxy],
    ['http://a.example/', { http_proxy: 'proxy.example:3128' }, proxy],
    ['http://a.example/', { http_proxy: '', HTTP_PROXY: proxy }, proxy],
    ['http://a.example/', { http_proxy: proxy, no_proxy: '*' }, undefined],
    ['http://a.example/', { http_proxy: proxy, no_proxy: 'a.example' }, undefined],
    ['http://b.a.example/', { http_proxy: proxy, no_proxy: 'x, a.example' }, undefined],
    ['http://b.a.example/', { http_proxy: proxy, no_proxy: '.a.example' }, undefined],
    ['http://b.a.example/', { http_proxy: proxy, no_proxy: '*.a.example' }, undefined],
    ['http://ba.example/', { http_proxy: proxy, no_proxy: 'a.example' }, proxy],
    ['http://a.example:81/', { http_proxy: proxy, no_proxy: 'a.example:82' }, proxy],
    ['http://a.example:81/', { http_proxy: proxy, no_proxy: 'a.example:81' }, undefined],
    ['http://a.example/', { http_proxy: proxy, NO_PROXY: 'A.Example:80' }, undefined],
    ['http://10.1.2.3/', { http_proxy: proxy, no_proxy: '10.0.0.0/8' }, undefined],
    ['http://11.1.2.3/', { http_proxy: proxy, no_proxy: '10.0.0.0/8' }, proxy],
    ['http://[::1]:80/', { http_proxy: proxy, no_proxy: '::1' }, undefined],
    ['http://a.example/', { http_proxy: proxy, no_proxy: '' }, proxy],
  ])('%s with %o', (url, env, expected) => {
    expect(proxyFor(new URL(url), env)?.href).toBe(expected)
  })

  test('what is not a proxy address is refused', () => {
    expect(() => proxyFor(new URL('http://a/'), { http_proxy: 'socks5://b:1' })).toThrow(
      /http_proxy is not the address/,
    )
  })
})

describe('retryDelay', () => {
  const policy = { attempts: 5, firstDelay: 100, maxDelay: 1000 }
  test.each([
    [1, 75, 100],
    [2, 150, 200],
    [3, 300, 400],
    [9, 750, 1000],
  ])('attempt %i waits between %i and %i ms', (attempt, least, most) => {
    const delay = retryDelay(attempt, undefined, policy)
    expect(delay).toBeGreaterThanOrEqual(least)
    expect(delay).toBeLessThanOrEqual(most)
  })

  test('a date counts from now', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 0, 0, 500), toFake: ['Date'] })
    try {
      expect(retryDelay(1, 'Thu, 01 Jan 2026 00:00:02 GMT', { ...policy, maxDelay: 5000 })).toBe(1500)
    } finally {
      vi.useRealTimers()
    }
  })
})
