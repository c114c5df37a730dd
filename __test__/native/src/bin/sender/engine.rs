//! The run: prepares messages, sends them, and sees to it that each is sent once and that it all ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use std::{io, thread};

use socket2::{Domain, Socket, Type};

use crate::options::Options;
use crate::pace::Pace;
use crate::report::Report;
use crate::train::Train;
use crate::wire;

/// How long one message is tried for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one wait for room is, so that the end of the run is noticed.
const WAIT_MS: libc::c_int = 20;

/// Sends what the options say. The error is one of before the start.
pub fn run(options: &Options) -> io::Result<Report> {
    let sockets: Vec<Socket> = (0..options.flows).map(|_| connected(options)).collect::<io::Result<_>>()?;
    let total = options.messages.map(|messages| messages * options.shape.segments as u64);
    let one_by_one = sockets.len() > 1;
    let mut report =
        Report { gso: options.shape.segments > 1 && wire::segments(&sockets[0]), ..Report::default() };
    report.ports = sockets.iter().map(port).collect::<io::Result<_>>()?;
    let mut train = Train::new(options.shape, options.stamp, report.gso, one_by_one, options.sources);
    let pace = Pace::start(options.limit, options.rate);
    while total.is_none_or(|total| report.datagrams < total) {
        let left = total.map_or(u64::MAX, |total| total - report.datagrams);
        let due = pace.due(report.datagrams);
        if due == 0 {
            break;
        }
        train.load(report.datagrams, left.min(due));
        // By message also where each datagram goes singly, so that a flow has the same datagrams on every system.
        let turn = report.datagrams / options.shape.segments as u64 % sockets.len() as u64;
        match deliver(&mut train, &sockets[turn as usize], &pace, &mut report) {
            Ok(()) => {}
            Err(Stop::NoSegments) => {
                report.gso = false;
                train = Train::new(options.shape, options.stamp, false, one_by_one, None);
            }
            Err(Stop::TimeIsUp) => break,
            Err(Stop::Failed(error)) => {
                report.gave_up = Some(error.to_string());
                break;
            }
        }
    }
    report.elapsed = pace.elapsed();
    if report.gave_up.is_none() && !options.timed && total.is_some_and(|total| report.datagrams < total) {
        report.gave_up = Some("ten minutes are over".to_owned());
    }
    Ok(report)
}

/// Why a train was not sent to its end.
enum Stop {
    NoSegments,
    TimeIsUp,
    Failed(io::Error),
}

/// Sends all messages of a train from one socket, each once.
fn deliver(train: &mut Train, socket: &Socket, pace: &Pace, report: &mut Report) -> Result<(), Stop> {
    let mut first = 0;
    let mut stalled: Option<Instant> = None;
    while first < train.messages().len() {
        let error = match train.send(socket, first) {
            Ok(sent) => {
                for message in &train.messages()[first..first + sent] {
                    report.messages += 1;
                    report.datagrams += train.per_message();
                    report.bytes += message.len() as u64;
                }
                first += sent;
                stalled = None;
                continue;
            }
            Err(error) => error,
        };
        report.failed(&error);
        if report.gso && report.messages == 0 && wire::refuses_segments(&error) {
            return Err(Stop::NoSegments);
        }
        if !transient(&error) || stalled.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Err(Stop::Failed(error));
        }
        wait(socket, &error);
        if pace.over() {
            return Err(Stop::TimeIsUp);
        }
    }
    Ok(())
}

/// Whether the message was not sent but may be the next time. ECONNREFUSED is not about this message: it is the ICMP
/// answer to an earlier one, which the kernel reports once and instead of sending, udp(7).
fn transient(error: &io::Error) -> bool {
    let transient = [libc::EAGAIN, libc::ENOBUFS, libc::ECONNREFUSED, libc::EINTR];
    error.raw_os_error().is_some_and(|errno| transient.contains(&errno))
}

fn wait(socket: &Socket, error: &io::Error) {
    if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS)) {
        return;
    }
    let mut entry = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one live entry is passed, and its number. A failed poll is a shorter wait.
    unsafe { libc::poll(&raw mut entry, 1, WAIT_MS) };
    if error.raw_os_error() == Some(libc::ENOBUFS) {
        // It is the device's queue that is full, not the socket's, which may be writable all the while.
        thread::sleep(Duration::from_millis(1));
    }
}

/// A socket that does not block, so that no full queue can hold the run beyond its end.
fn connected(options: &Options) -> io::Result<Socket> {
    let wildcard =
        if options.to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = SocketAddr::new(options.bind.unwrap_or(wildcard), 0);
    let socket = Socket::new(Domain::for_address(options.to), Type::DGRAM, None)?;
    socket.bind(&source.into())?;
    socket.connect(&options.to.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The port that a socket sends from.
fn port(socket: &Socket) -> io::Result<u16> {
    let address = socket.local_addr()?.as_socket();
    Ok(address.expect("it is bound to an address of IPv4 or IPv6").port())
}
