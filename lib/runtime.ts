/** Which runtime this is: Bun and Deno answer some of what Node is asked otherwise. */

export const isBun = process.versions.bun !== undefined
export const isDeno = process.versions.deno !== undefined
export const isNode = !isBun && !isDeno
