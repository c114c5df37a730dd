//! A sender of UDP datagrams: an exact number of them, or as many as a time or a rate allows.
//!
//! On Linux one message carries many datagrams (`UDP_SEGMENT`) and one call many messages (sendmmsg(2)); elsewhere it
//! sends singly. It always ends by itself, and its last line on standard output is a JSON object of what it sent.

#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use std::process::ExitCode;

#[cfg(unix)]
mod engine;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod pace;
#[cfg(unix)]
mod payload;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod train;
#[cfg(unix)]
mod wire;

#[cfg(unix)]
fn main() -> ExitCode {
    let options = match options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("sender: {error}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let report = match engine::run(&options) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("sender: {error}");
            return ExitCode::FAILURE;
        }
    };
    report.print();
    match &report.gave_up {
        None => ExitCode::SUCCESS,
        Some(reason) => {
            eprintln!("sender: gave up: {reason}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("sender: not supported on this platform");
    ExitCode::FAILURE
}
