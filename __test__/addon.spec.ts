// The file that is loaded.

import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..')

function readelf(): string | null {
  try {
    const [addon] = readdirSync(root).filter((name) => name.endsWith('.node'))
    return execFileSync('readelf', ['-dW', join(root, addon!)], { encoding: 'utf8' })
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
