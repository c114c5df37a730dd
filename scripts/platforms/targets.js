'use strict'

// The platforms that package.json names, and how each is built on Linux.

const path = require('node:path')
const { readJson } = require('../lib/fingerprint')
const { root } = require('../sanitizers/common')

/**
 * By triple: napi's name for the platform, what else cargo is told, or why it cannot be linked.
 *
 * `library` is what cargo calls the addon, `unused` libraries that the linker is to find empty. The version behind a triple of glibc's is the oldest that it runs on.
 */
const KNOWN = {
  'x86_64-unknown-linux-gnu': { platform: 'linux-x64-gnu', glibc: '2.17' },
  'aarch64-unknown-linux-gnu': { platform: 'linux-arm64-gnu', glibc: '2.17' },
  // A shared library of musl's has no C library inside.
  'x86_64-unknown-linux-musl': { platform: 'linux-x64-musl', rustflags: '-C target-feature=-crt-static' },
  'aarch64-unknown-linux-musl': { platform: 'linux-arm64-musl', rustflags: '-C target-feature=-crt-static' },
  'x86_64-apple-darwin': { platform: 'darwin-x64', library: 'librecvmmsg.dylib' },
  'aarch64-apple-darwin': { platform: 'darwin-arm64', library: 'librecvmmsg.dylib' },
  'x86_64-pc-windows-msvc': {
    platform: 'win32-x64-msvc',
    lack: "Microsoft's linker and libraries are needed, on Windows",
  },
  // The libc crate names these, which zig has not; nothing here is of them.
  'x86_64-unknown-freebsd': { platform: 'freebsd-x64', unused: ['kvm', 'memstat', 'procstat', 'devstat'] },
}

/** Those that package.json names, or of these only some. */
function targets(wanted) {
  const { napi } = readJson(path.join(root, 'package.json'))
  const all = napi.targets.map((triple) => {
    if (!KNOWN[triple]) throw new Error(`scripts/platforms/targets.js knows nothing of ${triple}`)
    return {
      triple,
      library: 'librecvmmsg.so',
      file: `${napi.binaryName}.${KNOWN[triple].platform}.node`,
      ...KNOWN[triple],
    }
  })
  if (wanted.length === 0) return all
  return all.filter((target) =>
    wanted.some((word) => target.triple.includes(word) || target.platform.includes(word)),
  )
}

module.exports = { targets }
