import type { System } from './system'

/** Processes that have each of the sockets open, by its inode: "name (pid)". Those that may be seen. */
export function owners(system: System, inodes: Set<string>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const pid of system.list('proc').filter((name) => /^\d+$/.test(name))) {
    const held = new Set<string>()
    for (const fd of system.list(`proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(system.link(`proc/${pid}/fd/${fd}`) ?? '')?.[1]
      if (inode !== undefined && inodes.has(inode)) held.add(inode)
    }
    for (const inode of held) {
      const name = system.text(`proc/${pid}/comm`)?.trim() ?? 'unknown'
      found.set(inode, [...(found.get(inode) ?? []), `${name} (${pid})`])
    }
  }
  return found
}
