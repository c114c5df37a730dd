'use strict'

// `npm run check:consumers`: the tarball as others see it. publint and attw look at its entries; a strict program is
// compiled against its types, as CommonJS and as ES module, by an old TypeScript and the newest, with Node's types of the
// oldest version and the newest, and with skipLibCheck off.

const fs = require('node:fs')
const path = require('node:path')
const { npmCommand, scrubbed } = require('./lib/packages')
const { Problem } = require('./lib/problem')
const { run } = require('./lib/run')
const { downloadProblem, toolProblem } = require('./lib/tools')
const setup = require('./setup')

const root = path.resolve(__dirname, '..')
const source = path.join(__dirname, 'consumers')
const place = path.join(root, '.build', 'consumers')
const modules = path.join(place, 'node_modules')
const [npm, first] = npmCommand()

/** The newest types of Node are not for a compiler as old as the oldest here. */
const PAIRS = [
  { compiler: ['TypeScript 5.4', 'typescript5.4'], types: ['@types/node 20', 'node20-types'] },
  { compiler: ['TypeScript 7', 'typescript7'], types: ['@types/node 20', 'node20-types'] },
  { compiler: ['TypeScript 7', 'typescript7'], types: ['@types/node 26', 'node26-types'] },
]

async function install() {
  const lock = fs.readFileSync(path.join(source, 'package-lock.json'), 'utf8')
  const note = path.join(modules, '.installed')
  if (fs.existsSync(note) && fs.readFileSync(note, 'utf8') === lock) return
  fs.mkdirSync(place, { recursive: true })
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    fs.copyFileSync(path.join(source, name), path.join(place, name))
  console.log('installing compilers and checks…')
  const args = [...first, 'ci', '--ignore-scripts', '--prefer-offline']
  const result = await run(npm, args, { cwd: place, env: scrubbed(process.env) })
  if (result.code !== 0) throw downloadProblem('installing compilers and checks', result)
  fs.writeFileSync(note, lock)
}

/** The tarball, and what is in it where a program finds it. */
async function pack() {
  const out = path.join(place, 'tarball')
  fs.rmSync(out, { recursive: true, force: true })
  fs.mkdirSync(out)
  const args = [...first, 'pack', '--ignore-scripts', '--pack-destination', out]
  const result = await run(npm, args, { cwd: root, env: scrubbed(process.env) })
  if (result.code !== 0) throw toolProblem('npm pack', result)
  const tarball = path.join(out, fs.readdirSync(out)[0])
  const unpacked = await run('tar', ['-xzf', tarball, '-C', out])
  if (unpacked.code !== 0) throw toolProblem('tar', unpacked)
  return { tarball, directory: path.join(out, 'package') }
}

async function tool(name, bin, args) {
  const manifest = JSON.parse(fs.readFileSync(path.join(modules, name, 'package.json'), 'utf8'))
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin]
  const result = await run(process.execPath, [path.join(modules, name, file), ...args], { cwd: place })
  if (result.code !== 0) throw toolProblem(bin, result)
}

/** A program of its own, with nothing but the package and Node's types. */
function program(directory, types) {
  const folder = path.join(place, 'program')
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true })
  fs.cpSync(directory, path.join(folder, 'node_modules', 'recvmmsg'), { recursive: true })
  fs.cpSync(path.join(modules, types), path.join(folder, 'node_modules', '@types', 'node'), {
    recursive: true,
  })
  for (const name of ['undici-types', 'buffer']) {
    for (const from of [path.join(modules, types, 'node_modules', name), path.join(modules, name)]) {
      if (!fs.existsSync(from)) continue
      fs.cpSync(from, path.join(folder, 'node_modules', name), { recursive: true })
      break
    }
  }
  const text = fs.readFileSync(path.join(source, 'consumer.ts'), 'utf8')
  for (const name of ['consumer.mts', 'consumer.cts']) fs.writeFileSync(path.join(folder, name), text)
  const compilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    esModuleInterop: true,
  }
  const config = { compilerOptions, files: ['consumer.mts', 'consumer.cts'] }
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
  return folder
}

async function main() {
  await setup.ensure({ sender: false })
  await install()
  const { tarball, directory } = await pack()
  await tool('publint', 'publint', ['run', '--strict', directory])
  console.log('consumers: publint has nothing to say')
  await tool('@arethetypeswrong/cli', 'attw', [tarball, '--format', 'ascii', '--no-emoji'])
  console.log('consumers: attw has nothing to say')
  let failed = 0
  for (const { compiler, types } of PAIRS) {
    const title = `${compiler[0]} with ${types[0]}`
    const folder = program(directory, types[1])
    try {
      await tool(compiler[1], 'tsc', ['-p', folder])
      console.log(`consumers: compiled by ${title}`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failed++
      console.error(`consumers: not compiled by ${title}\n${error.details}`)
    }
  }
  const { size } = fs.statSync(tarball)
  console.log(`consumers: the tarball is ${Math.round(size / 1024)} KiB`)
  if (failed > 0) process.exitCode = 1
}

main().catch(setup.giveUp)
