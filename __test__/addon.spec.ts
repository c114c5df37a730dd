// The file that is loaded.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..')
const [addon] = readdirSync(root).filter((name) => name.endsWith('.node'))
const file = join(root, addon!)

function readelf(): string | null {
  try {
    return execFileSync('readelf', ['-dW', file], { encoding: 'utf8' })
  } catch {
    return null
  }
}

const dynamic = process.platform === 'linux' ? readelf() : null
const reason = dynamic === null ? ' [skipped: needs readelf, on Linux]' : ''
;(dynamic === null ? test.skip : test)(`stays in the process when its last worker ends${reason}`, () => {
  // libuv calls back into it afterwards. Linked with -z nodelete, which musl does without: it never unloads.
  expect(dynamic).toMatch(/FLAGS_1.*NODELETE/)
})
;(dynamic === null ? test.skip : test)(`is linked with nothing but the C library${reason}`, () => {
  const needed = [...dynamic!.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1]!)
  expect(needed.length).toBeGreaterThan(0)
  for (const name of needed) expect(name).toMatch(/^(lib(c|m|pthread|dl|gcc_s)|ld-linux.*|libc\.musl.*)\.so/)
})

describe('makes no ArrayBuffer over memory of its own, which Electron refuses', () => {
  test('no function gives memory', () => {
    const declarations = readFileSync(join(root, 'binding.d.ts'), 'utf8')
    const given = [...declarations.matchAll(/^export declare function (\w+)\(.*\): (.*)$/gm)]
    expect(given.length).toBeGreaterThan(30)
    expect(given.filter(([, , type]) => /Buffer|Array\b(?!<)/.test(type!)).map(([, name]) => name)).toEqual(
      [],
    )
  })

  test('no source calls what would', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    const calling = (pattern: RegExp) =>
      sources.filter(
        (name) => /\.rs$/.test(name) && pattern.test(readFileSync(join(root, 'src', name), 'utf8')),
      )
    expect(calling(/napi_create_external\b/)).not.toEqual([])
    expect(calling(/napi_create_external_(array)?buffer|from_external|BufferSlice/)).toEqual([])
  })
})
