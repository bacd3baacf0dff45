/**
 * `make`, remembering its last results: a pure function's cache may forget at any time, so at `maxEntries` it forgets
 * all of them and starts anew, which costs less than keeping an order of use.
 */
export function remember<Value>(maxEntries: number, make: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>()
  return key => {
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= maxEntries) known.clear()
    const made = make(key)
    known.set(key, made)
    return made
  }
}
