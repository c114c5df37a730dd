//! Turns platform lists into words, so that no list of operating systems is written twice.

fn main() {
    cfg_aliases::cfg_aliases! {
        // recvmmsg(2) as a system call. FreeBSD's libc emulates it with a loop, which `sys::portable` does itself.
        mmsg: { any(target_os = "linux", target_os = "android") },
        // Where libuv, and so node:dgram, takes SO_REUSEPORT for reuseAddr.
        bsd: { any(target_os = "macos", target_os = "ios", target_os = "freebsd", target_os = "netbsd", target_os = "openbsd") },
        // UDP_GRO and UDP_SEGMENT, SO_MEMINFO, POLLRDHUP: Linux's own additions to the socket API.
        linux_sockets: { any(target_os = "linux", target_os = "android") },
        // SO_TIMESTAMP, IP_RECVTOS and IP_RECVTTL as the BSDs have them: microseconds, and a byte under the option's own name.
        bsd_telling: { any(target_os = "macos", target_os = "ios", target_os = "freebsd") },
        // SO_REUSEPORT_LB, setsockopt(2): what Linux means by SO_REUSEPORT.
        reuseport_lb: { target_os = "freebsd" },
        // in_pktinfo, ip(7): which address a datagram was sent to, and which one an answer is to come from.
        pktinfo: { any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios") },
        // The same on the BSDs: IP_RECVDSTADDR, IP_RECVIF and IP_SENDSRCADDR, ip(4).
        recvdstaddr: { any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd") },
    }
    println!("cargo::rerun-if-changed=build.rs");
    napi_build::setup();
}
