/** Classic BPF programs as users write them, and as native code takes them. */

import { invalidArgType, invalidArgValue, outOfRange } from './errors'
import { validateInteger } from './validators'

/** One instruction of classic BPF: `struct sock_filter`. */
export interface FilterInstruction {
  /** What to do: 0 to 65,535. */
  code: number
  /** How many instructions to skip where a comparison holds: 0 to 255. */
  jt: number
  /** How many instructions to skip where it does not: 0 to 255. */
  jf: number
  /** Its operand: 0 to 4,294,967,295. */
  k: number
}

/** An instruction, or `[code, jt, jf, k]`, which is how `tcpdump -ddd` prints it. */
export type Filter = readonly (
  | FilterInstruction
  | readonly [code: number, jt: number, jf: number, k: number]
)[]

const FIELDS = [
  ['code', 2 ** 16 - 1],
  ['jt', 255],
  ['jf', 255],
  ['k', 2 ** 32 - 1],
] as const
/** BPF_MAXINSNS, include/uapi/linux/bpf_common.h. */
const MOST = 4096

/** Four words an instruction. */
export function filterWords(value: unknown, label = 'instructions'): Uint32Array {
  if (!Array.isArray(value)) throw invalidArgType(label, 'an instance of Array', value)
  if (value.length < 1 || value.length > MOST) {
    throw outOfRange(`${label}.length`, `>= 1 && <= ${MOST}`, value.length)
  }
  const words = new Uint32Array(value.length * FIELDS.length)
  for (let index = 0; index < value.length; index++) {
    const instruction: unknown = value[index]
    const name = `${label}[${index}]`
    if (instruction === null || typeof instruction !== 'object') {
      throw invalidArgType(name, 'of type object or an array of four numbers', instruction)
    }
    const tuple = Array.isArray(instruction)
    if (tuple && instruction.length !== FIELDS.length) {
      throw invalidArgValue(name, instruction, 'must have four numbers: code, jt, jf, k')
    }
    for (const [at, [field, max]] of FIELDS.entries()) {
      const number = (instruction as Record<string | number, unknown>)[tuple ? at : field]
      validateInteger(number, `${name}.${field}`, 0, max)
      words[index * FIELDS.length + at] = number
    }
  }
  return words
}
