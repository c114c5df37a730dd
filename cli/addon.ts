import { Failure, reason } from './problem'

/** Loads what needs the addon: help and usage errors are to be had without it. */
export function withAddon<T>(load: () => T): T {
  try {
    return load()
  } catch (error) {
    throw new Failure(reason(error))
  }
}
