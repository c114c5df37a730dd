'use strict'

// The tools that nobody but the user can install: their presence, their versions, and a sentence for each lack.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { isOlder } = require('./node-version')
const { Problem } = require('./problem')

/** Where `name` is among `directories`. */
function findIn(directories, name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name
  return directories.map((directory) => path.join(directory, file)).find(isExecutable)
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

/** Where a command, which may also be a path, is found. */
function findCommand(command, env) {
  if (command.includes('/') || path.isAbsolute(command)) return isExecutable(command) ? command : undefined
  return findIn((env.PATH || '').split(path.delimiter).filter(Boolean), command)
}

/**
 * Checks for cargo, rustc and a linker. What it finds off the PATH it puts there, in `env`, for all children.
 *
 * @returns {{ rustc: string, host: string }} the compiler's full description and the triple it builds for
 */
function checkTools(root, env = process.env) {
  const homes = [env.CARGO_HOME, path.join(os.homedir(), '.cargo')].filter(Boolean)
  if (!findCommand('cargo', env)) {
    const cargo = findIn(
      homes.map((home) => path.join(home, 'bin')),
      'cargo',
    )
    if (!cargo) {
      throw new Problem(
        'The Rust toolchain is missing: there is no cargo on PATH or in ~/.cargo/bin (rustup.rs tells how to install it).',
      )
    }
    env.PATH = [path.dirname(cargo), env.PATH].filter(Boolean).join(path.delimiter)
  }
  const toolchain = checkRustc(root, env)
  checkLinker(root, env, toolchain.host, homes)
  return toolchain
}

function checkRustc(root, env) {
  const rustc = env.RUSTC || 'rustc'
  if (!findCommand(rustc, env))
    throw new Problem(`The Rust compiler is missing: there is cargo, but no ${rustc}.`)
  const { status, stdout, stderr } = spawnSync(rustc, ['-vV'], { cwd: root, env, encoding: 'utf8' })
  if (status !== 0)
    throw new Problem(`The Rust compiler does not run: \`${rustc} -vV\` failed.`, stderr?.trim())
  const release = /^release: (.+)$/m.exec(stdout)?.[1] ?? /^rustc (\S+)/m.exec(stdout)?.[1] ?? 'unknown'
  const wanted = /^rust-version\s*=\s*"([^"]+)"/m.exec(
    fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'),
  )?.[1]
  if (wanted && isOlder(release, wanted)) {
    throw new Problem(
      `The Rust compiler is too old: this is ${release}, and Cargo.toml asks for ${wanted} or newer (try \`rustup update\`).`,
    )
  }
  return { rustc: stdout, host: /^host: (.+)$/m.exec(stdout)?.[1] ?? '' }
}

/** rustc links with `cc` unless cargo is told otherwise, in the environment or in one of its files. */
function checkLinker(root, env, host, homes) {
  if (host.includes('windows-msvc')) return // rustc asks Windows where that one is
  const variable = `CARGO_TARGET_${host.toUpperCase().replace(/[-.]/g, '_')}_LINKER`
  const linker = env[variable] || 'cc'
  if (findCommand(linker, env)) return
  if (!env[variable]) {
    if (namesLinker(root, homes)) return
    // rustc does not read CC; whoever has set it means that compiler, though.
    if (env.CC && findCommand(env.CC, env)) {
      env[variable] = env.CC
      return
    }
  }
  throw new Problem(
    `The C linker is missing: Rust links with ${linker}, which is not on PATH (it comes with gcc or clang, ` +
      'as in the packages build-essential on Debian and the Command Line Tools on macOS).',
  )
}

/** Whether a cargo configuration that applies here sets a linker: one in a home of cargo, or above the project. */
function namesLinker(root, homes) {
  const directories = [...homes]
  for (let here = root; ; here = path.dirname(here)) {
    directories.push(path.join(here, '.cargo'))
    if (here === path.dirname(here)) break
  }
  return directories.some((directory) => {
    try {
      return /^\s*linker\s*=/m.test(fs.readFileSync(path.join(directory, 'config.toml'), 'utf8'))
    } catch {
      return false
    }
  })
}

/** What the tools say when it is the network that failed them: npm by error code, cargo in curl's words. */
const UNREACHABLE = new RegExp(
  [
    'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED',
    "Could(n't| not) resolve|Could not connect|Failed to connect|Timeout was reached|[Cc]onnection (refused|reset)",
    'network failure|spurious network error|attempting to make an HTTP request, but --offline',
  ].join('|'),
)

/** The error for a tool that failed at `task` ('compiling the TypeScript'). */
function toolProblem(task, { code, all }) {
  const lines = all.split('\n').filter((line) => line.trim())
  const telling = lines.filter(
    (line) => !/^ *(Compiling|Download(ing|ed)|Updating|Locking|Adding|Blocking|Fresh) /.test(line),
  )
  return new Problem(
    `${task[0].toUpperCase()}${task.slice(1)} failed with exit code ${code}.`,
    telling.join('\n'),
  )
}

/** Whether what needs the network has failed for that. (What a compiler prints may contain all of these words.) */
const isUnreachable = ({ code, all }) => code !== 0 && UNREACHABLE.test(all)

/** As `toolProblem`, for a task that needs the network. */
function downloadProblem(task, result) {
  if (!isUnreachable(result)) return toolProblem(task, result)
  const lines = result.all.split('\n').filter((line) => line.trim())
  const last = lines.slice(-5).map((line) => `  ${line}`)
  return new Problem(
    `The package registry could not be reached while ${task}; is there a network?`,
    last.join('\n'),
  )
}

module.exports = { checkTools, downloadProblem, findCommand, isUnreachable, toolProblem }
