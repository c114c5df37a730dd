// The documentation keeps its promises: every error code has its heading, and the README's code runs.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UdpSocket } from '../index'

const root = join(__dirname, '..')
const text = (file: string) => readFileSync(join(root, file), 'utf8')

/** Blocks of JavaScript in a Markdown file. */
function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1]!)
}

test('docs/api.md has a heading for every error code that lib can make, and for no other', () => {
  const made = new Set(
    text('lib/errors.ts')
      .match(/'(ERR_[A-Z_]+|ABORT_ERR)'/g)
      ?.map((quoted) => quoted.slice(1, -1)),
  )
  const headings = [...text('docs/api.md').matchAll(/^### `((?:ERR_|ABORT_)[A-Z_]+)`$/gm)].map(
    (match) => match[1],
  )
  expect(made.size).toBeGreaterThan(10)
  expect(headings.sort()).toEqual([...made].sort())
})

test('only lib/errors.ts makes errors', () => {
  for (const file of readdirSync(join(root, 'lib')).filter((name) =>
    /^(?!errors).*(?<!\.d)\.ts$/.test(name),
  )) {
    expect({ file, makes: /new (\w*Error)\(/.exec(text(`lib/${file}`))?.[1] }).toEqual({
      file,
      makes: undefined,
    })
  }
})

test('links within docs/api.md lead to its headings', () => {
  const markdown = text('docs/api.md')
  const anchors = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
  const links = [...markdown.matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1])
  expect(links.filter((link) => !anchors.includes(link!))).toEqual([])
})

test('the README example runs and sees a datagram', async () => {
  const [example] = blocks(text('README.md'))
  expect(example).toContain("from 'recvmmsg'")
  const port = freePort()
  const folder = mkdtempSync(join(tmpdir(), 'recvmmsg-readme-'))
  const program = example!
    .replace("'recvmmsg'", JSON.stringify(join(root, 'index.mjs')))
    .replace(/port: \d+/, `port: ${port}`)
  const handle =
    'function handle(data, address, port) { console.log(String(data), address, port); process.exit() }\n'
  writeFileSync(join(folder, 'example.mjs'), program + handle)
  const child = spawn(process.execPath, [join(folder, 'example.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const sender = UdpSocket.bind({ address: '127.0.0.1' })
  // Nobody tells when the example has bound: send until it says that something came.
  const again = setInterval(() => sender.send('hello', port, '127.0.0.1'), 20)
  try {
    let output = ''
    for await (const chunk of child.stdout) output += chunk
    expect(output).toBe(`hello 127.0.0.1 ${sender.address().port}\n`)
  } finally {
    clearInterval(again)
    sender.close()
    child.kill()
    rmSync(folder, { recursive: true })
  }
})

test.each(
  blocks(text('docs/api.md')).map((code, index) => ({ code, line: `${index} ${code.split('\n')[0]}` })),
)('example $line of docs/api.md is JavaScript', ({ code }) => {
  const AsyncFunction = (async () => {}).constructor as new (code: string) => unknown
  expect(() => new AsyncFunction(code.replace(/^import .*$/m, ''))).not.toThrow()
})

function freePort(): number {
  const socket = UdpSocket.bind()
  const { port } = socket.address()
  socket.close()
  return port
}
