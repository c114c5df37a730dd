// The set-up that `npm start` and `npm test` share, run for real in a small project of its own, with stand-ins for the
// tools: they note in calls.log how they were called, and make files where the real ones would.

import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const repository = path.resolve(__dirname, '..')
const triple = 'x86_64-unknown-linux-gnu'

let root: string
let calls: string
let environment: Record<string, string>

function write(file: string, content: string, mode = 0o644): void {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  fs.writeFileSync(path.join(root, file), content, { mode })
}

const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const exists = (file: string) => fs.existsSync(path.join(root, file))
const json = (value: object) => JSON.stringify(value, null, 2)
const remove = (file: string) => fs.rmSync(path.join(root, file), { recursive: true })

const noting = (name: string) => `
const fs = require('node:fs'), path = require('node:path')
const note = (line) => fs.appendFileSync(${JSON.stringify(calls)}, line + '\\n')
note(['${name}', ...process.argv.slice(2)].join(' '))
`

const fakeNpm = () => `${noting('npm')}
const { FAKE_OFFLINE, FAKE_PAUSE, ...env } = process.env
note('env ' + Object.keys(env).filter((key) => /^npm_|^NODE_ENV/i.test(key)).sort().join(' '))
const install = () => {
  if (FAKE_OFFLINE === 'npm') {
    console.error('npm error code ENOTFOUND\\nnpm error network request to the registry failed')
    process.exit(1)
  }
  fs.cpSync('packages', 'node_modules', { recursive: true })
}
setTimeout(install, Number(FAKE_PAUSE ?? 0))
`

const fakeNapi = () => `${noting('napi')}
for (const file of ['binding.js', 'binding.d.ts', \`fake.\${process.platform}-\${process.arch}-x.node\`]) {
  fs.writeFileSync(file, '')
}
`

const fakeTsc = () => `${noting('tsc')}
const out = process.argv[process.argv.indexOf('--outDir') + 1]
fs.mkdirSync(out, { recursive: true })
for (const name of fs.readdirSync('.').filter((file) => /(?<!\\.d)\\.ts$/.test(file))) {
  for (const end of ['.js', '.d.ts']) fs.writeFileSync(path.join(out, name.replace('.ts', end)), '')
}
`

const fakeCargo = () => `#!/bin/sh
echo "cargo $*" >> ${calls}
if [ "$FAKE_OFFLINE" = cargo ]; then echo "error: [6] Could not resolve hostname" >&2; exit 101; fi
`

const fakeRustc = (release: string) =>
  `#!/bin/sh\nprintf 'rustc ${release}\\nhost: ${triple}\\nrelease: ${release}\\n'\n`

const dependencies = { devDependencies: { typescript: '1.0.0' } }

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'setup-')))
  calls = path.join(root, 'calls.log')
  fs.cpSync(path.join(repository, 'scripts'), path.join(root, 'scripts'), { recursive: true })
  const manifest = {
    name: 'fake',
    engines: { node: '>=20.17' },
    napi: { binaryName: 'fake' },
    ...dependencies,
  }
  write('package.json', json(manifest))
  const typescript = { version: '1.0.0', integrity: 'sha512-fake' }
  write('package-lock.json', json({ packages: { '': dependencies, 'node_modules/typescript': typescript } }))
  write('packages/.package-lock.json', json({ packages: { 'node_modules/typescript': typescript } }))
  write('packages/typescript/package.json', json({ version: '1.0.0', bin: { tsc: 'tsc.js' } }))
  write('packages/typescript/tsc.js', fakeTsc())
  write('packages/@napi-rs/cli/package.json', json({ version: '1.0.0', bin: { napi: 'cli.js' } }))
  write('packages/@napi-rs/cli/cli.js', fakeNapi())
  write('Cargo.toml', '[package]\nname = "fake"\nrust-version = "1.88"\n')
  write('src/lib.rs', '// the addon\n')
  write('index.ts', 'export {}\n')
  write('bin/npm-cli.js', fakeNpm())
  write('bin/cargo', fakeCargo(), 0o755)
  write('bin/rustc', fakeRustc('1.95.0'), 0o755)
  write('bin/cc', '#!/bin/sh\n', 0o755)
  // No tool of this machine is within reach, and no home with a toolchain in it.
  environment = {
    PATH: path.join(root, 'bin'),
    HOME: root,
    npm_execpath: path.join(root, 'bin', 'npm-cli.js'),
  }
})

afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** The tools that were called, in order. */
  called: string[]
}

function start(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...environment, ...env } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => {
    output.stdout += data
  })
  child.stderr.on('data', (data) => {
    output.stderr += data
  })
  const outcome = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => {
      const lines = exists('calls.log') ? read('calls.log').trim().split('\n') : []
      const called = lines.filter((line) => !line.startsWith('env ')).map((line) => line.split(' ')[0] ?? '')
      resolve({ code, ...output, called })
    })
  })
  return { child, outcome }
}

function setup(env?: Record<string, string>): Promise<Outcome> {
  fs.rmSync(calls, { force: true })
  return start(['scripts/setup.js'], env).outcome
}

const everything = ['npm', 'cargo', 'napi', 'tsc']

describe('what is lacking is said in a sentence', () => {
  const expectLack = (outcome: Outcome, sentence: RegExp) => {
    expect(outcome).toMatchObject({ code: 1, stdout: '' })
    expect(outcome.stderr).toMatch(sentence)
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1)
  }

  test.each(['setup.js', 'start.js', 'test.js'])('Node.js, by %s', async (script) => {
    write(
      'old.js',
      `Object.defineProperty(process, 'version', { value: 'v18.0.0' })
       process.on('exit', () => require('fs').writeFileSync('loaded.json', JSON.stringify(Object.keys(require.cache))))`,
    )
    const { code, stderr } = await start(['--require', './old.js', `scripts/${script}`]).outcome
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'Node.js is too old: this is 18.0.0, and fake needs 20.17 or newer.\n',
    })
    // It gets as far as that on a Node of 2017, which is what this parser knows.
    const { parseScript } = require('esprima')
    const loaded: string[] = JSON.parse(read('loaded.json'))
    const ours = loaded.filter((file) => file.includes(`${path.sep}scripts${path.sep}`))
    expect(ours.map((file) => path.basename(file))).toEqual(
      expect.arrayContaining([script, 'node-version.js']),
    )
    for (const file of ours) {
      const text = fs.readFileSync(file, 'utf8')
      expect(() => parseScript(text)).not.toThrow()
      expect(text).not.toContain("require('node:")
    }
  })

  test('cargo', async () => {
    remove('bin/cargo')
    expectLack(await setup(), /^The Rust toolchain is missing: there is no cargo on PATH/)
  })

  test('but a cargo that rustup has put in its usual place is found', async () => {
    fs.mkdirSync(path.join(root, '.cargo/bin'), { recursive: true })
    for (const tool of ['cargo', 'rustc']) {
      fs.renameSync(path.join(root, 'bin', tool), path.join(root, '.cargo/bin', tool))
    }
    expect(await setup()).toMatchObject({ code: 0, called: everything })
    expect(await setup({ CARGO_HOME: path.join(root, 'elsewhere') })).toMatchObject({ code: 0 })
    fs.renameSync(path.join(root, '.cargo'), path.join(root, 'elsewhere'))
    expect(await setup({ CARGO_HOME: path.join(root, 'elsewhere') })).toMatchObject({ code: 0 })
  })

  test('a newer rustc', async () => {
    write('bin/rustc', fakeRustc('1.87.0'))
    expectLack(
      await setup(),
      /^The Rust compiler is too old: this is 1\.87\.0, and Cargo\.toml asks for 1\.88/,
    )
  })

  test('a linker', async () => {
    remove('bin/cc')
    expectLack(await setup(), /^The C linker is missing: Rust links with cc, which is not on PATH/)
    const named = { CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER: 'no-such-linker' }
    expectLack(await setup(named), /Rust links with no-such-linker/)
  })

  test('but one that the environment names will do', async () => {
    fs.renameSync(path.join(root, 'bin/cc'), path.join(root, 'bin/my-cc'))
    expect(await setup({ CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER: 'my-cc' })).toMatchObject({ code: 0 })
    expect(await setup({ CC: 'my-cc' })).toMatchObject({ code: 0 })
    write('.cargo/config.toml', '[build]\n[target.some]\nlinker = "other-cc"\n')
    expect(await setup()).toMatchObject({ code: 0 })
  })

  test.each(['npm', 'cargo'])('a network, for %s', async (tool) => {
    const { code, stderr } = await setup({ FAKE_OFFLINE: tool })
    const lines = stderr.trim().split('\n')
    expect(code).toBe(1)
    expect(lines.pop()).toMatch(/^The package registry could not be reached while (installing|fetching) the /)
    // What the tool said stands above it.
    expect(lines.join()).toMatch(/ENOTFOUND|Could not resolve/)
  })
})

describe('what is stale', () => {
  beforeEach(async () => {
    expect(await setup()).toMatchObject({ code: 0, called: everything })
  })

  const nothing = { code: 0, stdout: '', stderr: '', called: [] }

  test('is nothing after a set-up, whatever the times of the files', async () => {
    expect(await setup()).toEqual(nothing)
    for (const file of [
      'src/lib.rs',
      'index.ts',
      'package-lock.json',
      'Cargo.toml',
      'index.js',
      'index.d.ts',
    ]) {
      fs.utimesSync(path.join(root, file), new Date(), new Date())
    }
    expect(await setup()).toEqual(nothing)
  })

  test.each([
    ['src/lib.rs', ['cargo', 'napi']],
    ['src/new.rs', ['cargo', 'napi']],
    ['Cargo.lock', ['cargo', 'napi']],
    ['index.ts', ['tsc']],
    ['binding.d.ts', ['tsc']],
    ['index.d.ts', []],
    ['README.md', []],
    ['__test__/some.spec.ts', []],
  ])('is, after an edit of %s, %j', async (file, called) => {
    write(file, '// edited\n')
    expect(await setup()).toMatchObject({ code: 0, called })
    expect(await setup()).toEqual(nothing)
  })

  test('is what has been deleted', async () => {
    remove('index.js')
    remove('binding.js')
    expect(await setup()).toMatchObject({ code: 0, called: ['cargo', 'napi', 'tsc'] })
    remove('node_modules')
    expect(await setup()).toMatchObject({ code: 0, called: ['npm'] })
  })

  test('is node_modules when the dependencies change, not when the scripts do', async () => {
    const manifest = JSON.parse(read('package.json'))
    write('package.json', json({ ...manifest, scripts: { hello: 'true' } }))
    expect(await setup()).toEqual(nothing)
    write('package.json', json({ ...manifest, devDependencies: { typescript: '^1.0.0' } }))
    expect(await setup()).toMatchObject({ called: ['npm'] })
  })

  test('is node_modules when npm has removed something from it since', async () => {
    write('node_modules/.package-lock.json', json({ packages: {} }))
    expect(await setup()).toMatchObject({ called: ['npm'] })
  })

  test('is not what npm itself has installed from the same lockfile', async () => {
    remove('node_modules/.setup.json')
    expect(await setup()).toEqual(nothing)
  })

  test('is what was compiled from a source that is gone', async () => {
    write('old.ts', '')
    await setup()
    expect(exists('old.js') && exists('old.d.ts')).toBe(true)
    write('by-hand.js', '')
    remove('old.ts')
    await setup()
    expect(exists('old.js') || exists('old.d.ts')).toBe(false)
    expect(exists('by-hand.js') && exists('index.js')).toBe(true)
  })
})

describe('of two set-ups at once', () => {
  test('the second waits, says so once, and has nothing left to do', async () => {
    const both = await Promise.all([setup({ FAKE_PAUSE: '700' }), setup({ FAKE_PAUSE: '700' })])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(read('calls.log').match(/^npm /gm)).toHaveLength(1)
    const [waited] = both.map(({ stdout }) => stdout).filter((text) => text.includes('waiting'))
    expect(waited).toMatch(/^waiting for the set-up that process \d+ is doing…\n$/)
  })

  test.each([
    // The highest pid that Linux gives out is lower; and this process's own, which somebody else had before.
    ['has died', { pid: 2 ** 30, started: '1' }],
    ['had the pid of a process of today', { pid: process.pid, started: 'long ago' }],
  ])('one that %s holds up nobody', async (_what, holder) => {
    write('.build/lock', json(holder))
    expect(await setup()).toMatchObject({ code: 0, called: everything })
    expect(fs.readdirSync(path.join(root, '.build')).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  test('one that is told to stop ends its tools and gives back the lock', async () => {
    const { child, outcome } = start(['scripts/setup.js'], { FAKE_PAUSE: '15000' })
    while (!exists('calls.log')) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGTERM')
    expect(await outcome).toMatchObject({ code: 143, stderr: '' })
    expect(exists('.build/lock')).toBe(false)
    expect(exists('node_modules')).toBe(false)
  })
})

test("the inner npm sees nothing of an outer one's settings, but for how to reach the registry", async () => {
  await setup({
    NODE_ENV: 'production',
    npm_config_omit: 'dev',
    NPM_CONFIG_PRODUCTION: 'true',
    npm_package_name: 'fake',
    npm_lifecycle_event: 'start',
    npm_config_cafile: '/etc/ca.pem',
  })
  const [call, env] = read('calls.log').split('\n')
  expect(call).toMatch(/^npm ci --include=dev --ignore-scripts /)
  expect(env).toBe('env npm_config_cafile npm_execpath')
})

test('npm start does without the native sender, which other set-ups build', async () => {
  write('__test__/native/Cargo.toml', '[package]\n')
  write('__test__/native/src/lib.rs', '')
  write('scripts/demo.js', 'exports.done = Promise.resolve()\n')
  expect(await start(['scripts/start.js']).outcome).toMatchObject({ code: 0, called: everything })
  expect(read('calls.log')).not.toContain('cargo build')
  // The cargo of this test builds nothing.
  expect(await setup()).toMatchObject({
    code: 1,
    stdout: 'building the sender (release)…\n',
    stderr: 'Building the testkit has made no sender.\n',
  })
  expect(read('calls.log')).toMatch(/^cargo build .*--bin sender/m)
})
