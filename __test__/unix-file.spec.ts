// The file of a Unix socket: made, replaced where it is a dead one's, removed where it is still ours.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { PacketBatch, UnixDatagramSocket } from '../index'
import { until } from './support/loop'
import { thrown } from './support/net'
import { testkit } from './support/testkit'
import { bind, closeAll, newPath, removeAll, track } from './support/unix'

afterEach(closeAll)
afterAll(removeAll)

const door = join(__dirname, '..', 'index.js')

/** A file whose socket nobody has open any more. */
function dead(type: 'dgram' | 'stream' = 'dgram'): string {
  const path = newPath()
  const fd = testkit.makeSocket('unix', type)
  testkit.bindUnix(fd, Buffer.from(path))
  testkit.closeFd(fd)
  expect(lstatSync(path).isSocket()).toBe(true)
  return path
}

/** The error of binding there. */
function refused(path: string): void {
  const before = lstatSync(path)
  expect(thrown(() => UnixDatagramSocket.bind({ path }))).toMatchObject({
    code: 'EADDRINUSE',
    syscall: 'bind',
    address: path,
    message: `bind EADDRINUSE ${path}`,
  })
  expect(lstatSync(path).ino).toBe(before.ino)
}

describe('its end', () => {
  test('comes with close(), and with the batch in hand still readable', () => {
    const socket = bind()
    expect(lstatSync(socket.path).isSocket()).toBe(true)
    socket.close()
    expect(existsSync(socket.path)).toBe(false)
    socket.close()
  })

  test('comes with the end of a worker that did not close', async () => {
    const path = newPath()
    const code = `
      const { UnixDatagramSocket } = require(${JSON.stringify(door)})
      globalThis.socket = UnixDatagramSocket.bind({ path: ${JSON.stringify(path)} })
      socket.on('batch', () => {})
      require('node:worker_threads').parentPort.postMessage('bound')
    `
    const worker = new Worker(code, { eval: true })
    await once(worker, 'message')
    expect(existsSync(path)).toBe(true)
    await worker.terminate()
    // Not in every runtime has it ended by then.
    await until(() => !existsSync(path))
  })

  test('comes where it was bound, whatever the directory is by then', () => {
    const path = newPath()
    const program = `
      const { UnixDatagramSocket } = require(${JSON.stringify(door)})
      const socket = UnixDatagramSocket.bind({ path: ${JSON.stringify(basename(path))} })
      process.chdir('/')
      if (!require('node:fs').existsSync(${JSON.stringify(path)})) throw new Error('not bound there')
      socket.close()
    `
    const { status, stderr } = spawnSync(process.execPath, ['-e', program], {
      cwd: dirname(path),
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect([status, stderr]).toEqual([0, ''])
    expect(existsSync(path)).toBe(false)
  })

  test('is not that of the file which took its place', () => {
    const [first, second] = [bind(), bind()]
    renameSync(second.path, first.path)
    first.close()
    expect(existsSync(first.path)).toBe(true)
    bind().send('x', first.path)
    expect(second.recv(new PacketBatch())).toBe(1)
  })

  test('has come already: closing is closing all the same', () => {
    const socket = bind()
    renameSync(socket.path, newPath())
    expect(() => socket.close()).not.toThrow()
  })
})

describe('a file that is there', () => {
  test('is replaced where it is a dead socket’s', () => {
    const path = dead()
    const socket = bind({ path })
    bind().send('x', path)
    expect(socket.recv(new PacketBatch())).toBe(1)
    socket.close()
    expect(existsSync(path)).toBe(false)
  })

  test('is replaced where its process was killed', () => {
    const path = newPath()
    const program = `
      require(${JSON.stringify(door)}).UnixDatagramSocket.bind({ path: ${JSON.stringify(path)} })
      process.kill(process.pid, 'SIGKILL')
    `
    const { signal } = spawnSync(process.execPath, ['-e', program], { timeout: 20_000 })
    expect(signal).toBe('SIGKILL')
    expect(existsSync(path)).toBe(true)
    expect(bind({ path }).address()).toEqual({ path })
  })

  test('is left alone where its socket lives, also one of another type', async () => {
    refused(bind().path)
    const path = newPath()
    const server = createServer().listen(path)
    await once(server, 'listening')
    try {
      refused(path)
    } finally {
      server.close()
      await once(server, 'close')
    }
  })

  test('is not called alive where there is no descriptor left to ask with', () => {
    const path = dead()
    const program = `
      const { UnixDatagramSocket } = require(${JSON.stringify(door)})
      const fs = require('node:fs')
      const files = []
      try {
        for (;;) files.push(fs.openSync('/dev/null'))
      } catch {}
      const codes = []
      for (let free = 0; free < 4; free++) {
        try {
          UnixDatagramSocket.bind({ path: ${JSON.stringify(path)} }).close()
          codes.push('bound')
        } catch (error) {
          codes.push(error.code)
        }
        fs.closeSync(files.pop())
      }
      for (const file of files) fs.closeSync(file)
      console.log(codes.join())
    `
    const limited = ['-c', 'ulimit -n 64 && exec "$0" "$@"', process.execPath, '-e', program]
    const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8', timeout: 20_000 })
    expect([stdout, stderr]).toEqual(['EMFILE,EMFILE,EMFILE,bound\n', ''])
    expect(existsSync(path)).toBe(false)
  })

  test('is left alone where it is no socket at all', () => {
    const [file, directory, link] = [newPath(), newPath(), newPath()]
    writeFileSync(file, 'precious')
    mkdirSync(directory)
    symlinkSync(dead(), link)
    for (const path of [file, directory, link]) refused(path)
  })

  test('is replaced by one of many that start at the same time', async () => {
    const path = dead()
    const code = `
      const { workerData, parentPort } = require('node:worker_threads')
      const { UnixDatagramSocket } = require(${JSON.stringify(door)})
      const gate = new Int32Array(workerData)
      parentPort.on('message', () => {})
      Atomics.add(gate, 0, 1)
      Atomics.notify(gate, 0)
      Atomics.wait(gate, 1, 0)
      try {
        globalThis.socket = UnixDatagramSocket.bind({ path: ${JSON.stringify(path)} })
        parentPort.postMessage('bound')
      } catch (error) {
        parentPort.postMessage(error.code)
      }
    `
    for (let round = 0; round < 5; round++) {
      const gate = new Int32Array(new SharedArrayBuffer(8))
      const workers = Array.from(
        { length: 6 },
        () => new Worker(code, { eval: true, workerData: gate.buffer }),
      )
      const said = workers.map((worker) => once(worker, 'message').then(([message]) => message as string))
      while (Atomics.load(gate, 0) < workers.length) await new Promise((resolve) => setImmediate(resolve))
      Atomics.store(gate, 1, 1)
      Atomics.notify(gate, 1)
      const outcomes = await Promise.all(said)
      expect(outcomes.filter((outcome) => outcome === 'bound')).toHaveLength(1)
      expect(new Set(outcomes)).toEqual(new Set(['bound', 'EADDRINUSE']))
      // The one that is bound is the one that the file leads to.
      expect(bind().send('x', path)).toBe(true)
      await Promise.all(workers.map((worker) => worker.terminate()))
      await until(() => !existsSync(path))
      const fd = testkit.makeSocket('unix', 'dgram')
      testkit.bindUnix(fd, Buffer.from(path))
      testkit.closeFd(fd)
    }
  }, 60_000)
})

describe('permissions', () => {
  const mode = (path: string) => statSync(path).mode & 0o777

  test('are those asked for, whatever the umask, and else those that it leaves', () => {
    const path = newPath()
    const program = `
      const { UnixDatagramSocket } = require(${JSON.stringify(door)})
      const fs = require('node:fs')
      process.umask(0o077)
      const path = ${JSON.stringify(path)}
      for (const mode of [0o666, 0o622, 0o600, 0, undefined]) {
        const socket = UnixDatagramSocket.bind({ path, mode })
        console.log((fs.statSync(path).mode & 0o777).toString(8))
        socket.close()
      }
    `
    const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 })
    expect(stdout.split('\n')).toEqual(['666', '622', '600', '0', '700', ''])
  })

  test('hold for one that replaces a dead socket', () => {
    const path = dead()
    bind({ path, mode: 0o666 })
    expect(mode(path)).toBe(0o666)
  })

  const root = process.getuid?.() === 0
  const title = root ? 'decide who may send' : 'decide who may send [skipped: not root]'
  ;(root ? test : test.skip)(title, () => {
    const [open, shut] = [bind({ mode: 0o622 }), bind({ mode: 0o600 })]
    const program = `
      const { UnixDatagramSocket } = require(${JSON.stringify(door)})
      const socket = UnixDatagramSocket.bind()
      process.setuid(65534)
      for (const path of ${JSON.stringify([open.path, shut.path])}) {
        try {
          console.log(socket.send('x', path))
        } catch (error) {
          console.log(error.code)
        }
      }
    `
    // The directory is its owner's alone, as the system makes one.
    spawnSync('chmod', ['755', dirname(open.path)])
    const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 })
    expect(stdout.split('\n')).toEqual(['true', 'EACCES', ''])
  })
})

test('cannot be made where there is no directory, or none of ours', () => {
  const path = join(newPath(), 'socket')
  expect(thrown(() => track(UnixDatagramSocket.bind({ path })))).toMatchObject({
    code: 'ENOENT',
    address: path,
  })
})
