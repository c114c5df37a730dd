/** A shell that outlives this process by a moment, in order to tidy up after it. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { Failure, reason } from '../problem'

/**
 * Its standard input comes to its end when this process does, whatever ends it, SIGKILL included. Then it removes the
 * instance, whose files the kernel may just be about to close.
 */
const SCRIPT = `
trap '' HUP INT TERM
if [ -n "$2" ]; then mount -t tracefs tracefs "$2" || exit; fi
echo
cat >/dev/null
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  [ -d "$1" ] || exit
  rmdir "$1" 2>/dev/null || sleep 0.2
done
`

export class Keeper {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child
  }

  /** Starts one that removes the directory `instance`. Resolves without it where there is no shell. */
  static async start(instance: string): Promise<Keeper | null> {
    return Keeper.#start('sh', ['-c', SCRIPT, 'sh', instance, '']).catch(() => null)
  }

  /**
   * Starts one that mounts tracefs at `place`, in a mount namespace of its own: nobody else sees that mount, and it
   * goes with the namespace.
   */
  static async mounting(place: string, instance: string): Promise<Keeper> {
    try {
      return await Keeper.#start('unshare', ['-m', 'sh', '-c', SCRIPT, 'sh', instance, place])
    } catch (error) {
      throw new Failure(
        `tracefs is not mounted, and cannot be mounted here: ${reason(error)}; ` +
          `as root of the machine: mount -t tracefs tracefs ${place}; a container needs to be privileged`,
      )
    }
  }

  static #start(program: string, args: string[]): Promise<Keeper> {
    // In a group of its own: Ctrl-C is for the group, and it has to stay for what comes after.
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    return new Promise((resolve, reject) => {
      let complaint = ''
      child.stderr.setEncoding('utf8').on('data', (text) => {
        complaint += text
      })
      child.stdin.on('error', () => {})
      child.once('error', (error) => reject(new Error(`${program}: ${reason(error)}`)))
      child.once('close', () => reject(new Error(complaint.trim() || `${program} ends at once`)))
      child.stdout.once('data', () => {
        // Nothing of it keeps this process. Not in every runtime are these sockets.
        child.unref()
        for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Partial<Socket>).unref?.()
        resolve(new Keeper(child))
      })
    })
  }

  /** Its file system, with what it has mounted. */
  get root(): string {
    return `/proc/${this.#child.pid}/root`
  }
}
