/** Programs that find the package by its name. */

import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

let made = 0

/** What `script` prints in a process of its own. It is in a file, as only Node takes the kind of a module as an argument. */
export function printedBy(type: 'module' | 'commonjs', script: string): string {
  const extension = type === 'module' ? 'mjs' : 'cjs'
  const file = join(__dirname, '../../.build', `program-${process.pid}-${made++}.${extension}`)
  writeFileSync(file, script)
  try {
    return execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 10_000 })
  } finally {
    rmSync(file)
  }
}
