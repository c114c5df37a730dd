/** The tracer: what is recorded, whoever ends it, and the loop between. */

import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { plain } from '../escape'
import { onInterruption } from '../interruption'
import { Outlet } from '../outlet'
import { flushed } from '../stdio'
import { Clock } from './clock'
import type { TraceOptions } from './options'
import { Recording } from './recording'
import { summaryText } from './summary'
import { Tracer } from './tracer'

/** How long who reads our output has, after the end, to take what was shown before. */
const GRACE_MS = 500
/** Between two looks while nothing comes: what a person does not notice, and a buffer has room for. */
const PAUSE_MS = 50
/** Reads between two turns of the event loop, for signals and timers. A read is two pages at most. */
const READS = 16

/** Traces until told to stop. */
export async function run(options: TraceOptions): Promise<void> {
  const ending = new AbortController()
  onInterruption(() => ending.abort())
  const recording = await Recording.start(options)
  const tracer = new Tracer(options, new Clock())
  const outlet = new Outlet(ending.signal, GRACE_MS)
  const timer = Number.isFinite(options.duration)
    ? setTimeout(() => ending.abort(), options.duration * 1000)
    : undefined
  const started = performance.now()
  process.stderr.write(`tracing ${recording.names.join(' and ')} of ${subject(options)}\n`)
  let seconds: number
  try {
    await show(tracer.head, tracer, outlet)
    while (!ending.signal.aborted) {
      const came = await drain(recording, tracer, outlet)
      if (!came) await sleep(PAUSE_MS, undefined, { signal: ending.signal }).catch(() => {})
    }
    seconds = (performance.now() - started) / 1000
    recording.stop()
    while (await drain(recording, tracer, outlet));
  } finally {
    clearTimeout(timer)
    recording.remove()
  }
  process.stderr.write(summaryText(tracer.summary(seconds)))
  // What a stalled pipe has not taken would keep the process alive until it does.
  if (!(await flushed(process.stderr, GRACE_MS)) || tracer.unwritten > 0) process.exit()
}

/** Reads and shows some of what has come; `false` where that was all. */
async function drain(recording: Recording, tracer: Tracer, outlet: Outlet): Promise<boolean> {
  const { lossy } = tracer
  tracer.refresh()
  let text = ''
  let more = true
  for (let reads = 0; more && reads < READS; reads++) {
    const lines = recording.read()
    more = lines.length > 0
    for (const line of lines) text += tracer.add(line)
  }
  if (tracer.lossy && !lossy) process.stderr.write('events are being lost: the summary tells how many\n')
  if (text !== '') await show(text, tracer, outlet)
  await setImmediate()
  return more
}

async function show(text: string, tracer: Tracer, outlet: Outlet): Promise<void> {
  const lines = tracer.shown
  if (!outlet.ended) await outlet.write(text, () => tracer.taken(lines))
}

function subject({ pids, commands }: TraceOptions): string {
  if (pids.length > 0) return `process ${pids.join(', ')}`
  if (commands.length === 0) return 'all processes'
  return `threads named ${commands.map((name) => plain(Buffer.from(name, 'latin1').toString())).join(', ')}`
}
