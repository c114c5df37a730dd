'use strict'

// Required first in every process of a run: has Node load another build where the addon is asked for. The variable
// NAPI_RS_NATIVE_LIBRARY_PATH would do that to every package made with napi-rs, jest's resolver among them.

const fs = require('node:fs')
const path = require('node:path')

const root = path.resolve(__dirname, '..', '..')
const { dlopen } = process
const { RECVMMSG_INSTRUMENTED: instrumented, RECVMMSG_INSTRUMENTED_NOTE: note } = process.env

process.dlopen = (module, file, ...flags) => {
  const ours = path.dirname(file) === root && path.basename(file).startsWith('recvmmsg.')
  if (ours) fs.appendFileSync(note, `${process.pid}\n`)
  return dlopen.call(process, module, ours ? instrumented : file, ...flags)
}
