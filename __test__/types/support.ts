/** Compile-time comparison of types: nothing here runs. */

/** `true` where both are one type, as far as the compiler can tell, `readonly` included. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles when `Claim` is `true`. */
export function claim<Claim extends true>(): Claim | undefined {
  return undefined
}
