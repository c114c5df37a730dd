// What the doors say where the addon cannot be loaded.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '..')
const [addon] = readdirSync(root).filter((name) => name.endsWith('.node'))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

let folder: string

/** The package as it is published, without a platform's package. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recvmmsg-load-'))
  const doors = ['index.js', 'index.mjs', 'dgram.js', 'dgram.mjs']
  for (const part of [...doors, 'lib', 'binding.js', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
})

afterAll(() => rmSync(folder, { recursive: true }))

interface Thrown {
  name: string
  code: string
  message: string
  cause: string | undefined
  text: string
}

/** What `load`, an expression, throws in a process of its own; `null` where it throws nothing. */
function thrownBy(load: string, { flags = [] as string[], before = '' } = {}): Thrown | null {
  const file = join(folder, 'program.js')
  const show = `({ name, code, message, cause, stack }) =>
    ({ name, code, message, cause: cause?.message, text: stack.split('\\n', 1)[0] })`
  writeFileSync(
    file,
    `${before}
    const print = (value) => console.log(JSON.stringify(value))
    ;(async () => ${load})().then(() => print(null), (error) => print((${show})(error)))`,
  )
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, file], { encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

const PREFIX = 'The addon of recvmmsg cannot be loaded: '

describe.each([
  ['require', "require('./index.js')"],
  ['import', "import('./index.mjs')"],
  ['require of dgram', "require('./dgram.js')"],
  ['import of dgram', "import('./dgram.mjs')"],
])('%s', (_way, load) => {
  test('names the package that is missing, and how to get it', () => {
    const error = thrownBy(load)!
    expect(error).toMatchObject({ name: 'Error', code: 'ERR_DLOPEN_FAILED' })
    const [, name] = /: the package (\S+) is not installed/.exec(error.message)!
    expect(name).toBe(`@recvmmsg/${addon!.split('.')[1]}`)
    expect(error.message).toBe(
      `${PREFIX}the package ${name} is not installed: npm install ${name}@${version}`,
    )
    expect(error.text).toContain('ERR_DLOPEN_FAILED')
    // What the loader has said.
    expect(error.cause).toMatch(/^Cannot find native binding/)
  })
})

const load = "require('./index.js')"

test('what was found, and is no addon, is told with what the system says', () => {
  const file = join(folder, addon!)
  writeFileSync(file, 'no addon')
  try {
    const error = thrownBy(load)!
    expect(error.code).toBe('ERR_DLOPEN_FAILED')
    expect(error.message.startsWith(PREFIX)).toBe(true)
    expect(error.message).toContain(addon)
  } finally {
    rmSync(file)
  }
})

test.each([
  ['aix', process.arch],
  [process.platform, 'mips'],
])('a system that it is not built for is named: %s %s', (platform, arch) => {
  const before = `for (const [name, value] of Object.entries(${JSON.stringify({ platform, arch })}))
    Object.defineProperty(process, name, { value })`
  const message = `${PREFIX}there is none for this system (${platform} ${arch})`
  expect(thrownBy(load, { before })).toMatchObject({ code: 'ERR_DLOPEN_FAILED', message })
})

describe('flags of Node.js', () => {
  const known = process.allowedNodeEnvironmentFlags
  const permission = ['--permission', '--experimental-permission'].find((flag) => known.has(flag))
  const reason = permission === undefined ? ' [skipped: a runtime without --permission]' : ''
  const restricted = [`${permission}`, '--allow-fs-read=*', '--no-warnings']
  const whole = `require(${JSON.stringify(join(root, 'index.js'))})`

  ;(permission === undefined ? test.skip : test)(`are named where they forbid addons${reason}`, () => {
    for (const flags of [restricted, ['--no-addons']]) {
      const error = thrownBy(whole, { flags })!
      expect(error.code).toBe('ERR_DLOPEN_FAILED')
      expect(error.message).toBe(
        `${PREFIX}Node.js needs --allow-addons for it beside --permission, and no --no-addons`,
      )
    }
  })
  ;(permission === undefined ? test.skip : test)(`allow it${reason}`, () => {
    expect(thrownBy(whole, { flags: [...restricted, '--allow-addons'] })).toBe(null)
  })
})
