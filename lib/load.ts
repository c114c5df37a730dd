/**
 * Loads the native part, before anything else asks for it. The loader, `binding.js`, is made by @napi-rs/cli; what it
 * throws is a chain of all that it has tried, and says of none what to do.
 */

import { notLoaded } from './errors'

try {
  require('../binding')
} catch (error) {
  throw notLoaded(explained(messages(error)), error)
}

/** The messages of an error and of its causes. */
function messages(error: unknown): string[] {
  const found: string[] = []
  for (let each = error; each instanceof Object; each = (each as Error).cause)
    found.push(String((each as Error).message))
  return found
}

/** What went wrong, and what helps. */
function explained(tried: string[]): string {
  const find = (pattern: RegExp) => tried.map((message) => pattern.exec(message)).find(Boolean)
  if (find(/--allow-\w+ flag/)) return 'Deno needs --allow-read, --allow-env and --allow-ffi for it'
  if (find(/loading addons is disabled/))
    return 'Node.js needs --allow-addons for it beside --permission, and no --no-addons'
  const unsupported = find(/^Unsupported (OS|architecture)\b.*/)
  if (unsupported) return `there is none for this system (${process.platform} ${process.arch})`
  // What was found, and then failed, says more than what was looked for elsewhere.
  const found = tried.filter((message) => !/^Cannot find (native|module|package)\b/.test(message)).at(-1)
  if (found !== undefined) return found.split('\n', 1)[0]!
  const name = find(/@recvmmsg\/(?!wasm)[\w-]+/)?.[0]
  return `the package ${name} is not installed: npm install ${name}@${version()}`
}

/** Of this package: the native part has the same. */
function version(): string {
  return (require('../package.json') as { version: string }).version
}
