//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::payload::Shape;

/// What `--help` prints.
pub const USAGE: &str = "\
usage: sender --to ADDR:PORT (--messages N | --duration MS) [options]
  --to ADDR:PORT   the receiver, a literal address: 127.0.0.1:9000 or [::1]:9000
  --size N         payload bytes of a datagram (64)
  --segments N     datagrams of one message, UDP_SEGMENT; 1 is plain sends (1)
  --last N         bytes of the last datagram of a message (as --size)
  --messages N     end after so many messages
  --duration MS    end after so long, 600000 at most
  --rate N         datagrams per second (as fast as it goes)
  --flows N        source sockets, one message from each in turn (1)
  --bind ADDR      source address
  --sources N      source addresses, 127.64.0.0 and on, a datagram from each in turn: to loopback, on Linux
  --stamp          datagrams begin with the time of sending, not with their number
";

/// The greatest UDP payload over IPv4: 65,535 less the headers of IP and UDP.
pub const MAX_PAYLOAD: usize = 65_507;

/// Each flow is a descriptor, of which a process may commonly have 1024.
const MAX_FLOWS: usize = 1000;

/// From 127.64.0.0 to the end of 127.0.0.0/8.
const MAX_SOURCES: u32 = 3 << 22;

/// Nothing runs longer than this, whatever was asked for.
const WATCHDOG: Duration = Duration::from_secs(600);

/// A checked command line.
#[derive(Debug)]
pub struct Options {
    /// The receiver.
    pub to: SocketAddr,
    /// The datagrams' lengths and how many make a message.
    pub shape: Shape,
    /// End after so many messages.
    pub messages: Option<u64>,
    /// End after this time in any case.
    pub limit: Duration,
    /// Whether `limit` is what the user asked for, so that reaching it is no failure.
    pub timed: bool,
    /// Datagrams per second.
    pub rate: Option<u64>,
    /// Number of source sockets.
    pub flows: usize,
    /// Source address.
    pub bind: Option<IpAddr>,
    /// Number of source addresses, where they are many.
    pub sources: Option<u32>,
    /// Whether datagrams begin with the time of sending.
    pub stamp: bool,
}

/// Reads the arguments of the process; `None` when they ask for help.
pub fn parse() -> Result<Option<Options>, lexopt::Error> {
    parse_from(Parser::from_env())
}

fn parse_from(mut parser: Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut to, mut bind, mut sources) = (None, None, None);
    let (mut size, mut segments, mut last, mut flows) = (64, 1, None, 1);
    let (mut messages, mut duration, mut rate, mut stamp) = (None, None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("to") => to = Some(literal(parser.value()?)?),
            Arg::Long("bind") => bind = Some(literal(parser.value()?)?),
            Arg::Long("size") => size = number(parser.value()?, 0, MAX_PAYLOAD)?,
            Arg::Long("segments") => segments = number(parser.value()?, 1, MAX_PAYLOAD)?,
            Arg::Long("last") => last = Some(number(parser.value()?, 1, MAX_PAYLOAD)?),
            Arg::Long("flows") => flows = number(parser.value()?, 1, MAX_FLOWS)?,
            Arg::Long("messages") => messages = Some(number(parser.value()?, 1, u64::from(u32::MAX))?),
            Arg::Long("duration") => duration = Some(number(parser.value()?, 1, u64::from(u32::MAX))?),
            Arg::Long("rate") => rate = Some(number(parser.value()?, 1, 1_000_000_000)?),
            Arg::Long("sources") => sources = Some(number(parser.value()?, 1, MAX_SOURCES)?),
            Arg::Long("stamp") => stamp = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let to: SocketAddr = to.ok_or("--to is missing")?;
    if messages.is_none() && duration.is_none() {
        return Err("--messages or --duration is missing".into());
    }
    if bind.is_some_and(|bind: IpAddr| bind.is_ipv4() != to.is_ipv4()) {
        return Err("--to and --bind are of different families".into());
    }
    let plain = segments == 1 && flows == 1 && bind.is_none();
    if sources.is_some() && !(cfg!(target_os = "linux") && to.is_ipv4() && to.ip().is_loopback() && plain) {
        return Err("--sources go singly to an IPv4 loopback address, on Linux".into());
    }
    let shape = Shape { size, segments, last: last.unwrap_or(size) };
    check(shape, last.is_some())?;
    let limit = duration.map_or(WATCHDOG, Duration::from_millis).min(WATCHDOG);
    Ok(Some(Options {
        to,
        shape,
        messages,
        limit,
        timed: duration.is_some(),
        rate,
        flows,
        bind,
        sources,
        stamp,
    }))
}

fn check(shape: Shape, last_given: bool) -> Result<(), lexopt::Error> {
    if shape.segments > 1 && shape.size == 0 {
        return Err("segments of no bytes are no segments: give --size".into());
    }
    if last_given && (shape.segments == 1 || shape.last > shape.size) {
        return Err("--last is the shorter end of a message of several --segments".into());
    }
    if shape.segments * shape.size > MAX_PAYLOAD {
        return Err(format!("--segments times --size is more than {MAX_PAYLOAD}").into());
    }
    Ok(())
}

fn literal<T: FromStr>(value: OsString) -> Result<T, lexopt::Error> {
    value.parse_with(|text| text.parse().map_err(|_| "not a literal address"))
}

fn number<T: FromStr + PartialOrd>(value: OsString, least: T, most: T) -> Result<T, lexopt::Error> {
    let refusal = "not a whole number in the range of the option";
    value.parse_with(|text| match text.parse::<T>() {
        Ok(number) if least <= number && number <= most => Ok(number),
        _ => Err(refusal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        let words = line.split_whitespace();
        match parse_from(Parser::from_args(words)) {
            Ok(options) => Ok(options.expect("no help was asked for")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn needs_an_end() {
        assert!(parsed("--to 127.0.0.1:9 --size 10").unwrap_err().contains("--duration"));
        let options = parsed("--to [::1]:9 --duration 9999999").unwrap();
        assert_eq!((options.limit, options.timed), (WATCHDOG, true));
    }

    #[test]
    fn refuses_what_udp_cannot_carry() {
        for line in [
            "--segments 2 --size 0",
            "--sources 2 --segments 2",
            "--segments 2 --size 32754",
            "--size 65508",
            "--last 5",
            "--segments 0",
        ] {
            assert!(parsed(&format!("--to 127.0.0.1:9 --messages 1 {line}")).is_err(), "{line}");
        }
        assert!(parsed("--to 127.0.0.1:9 --messages 1 --segments 2 --size 32753 --last 1").is_ok());
    }
}
