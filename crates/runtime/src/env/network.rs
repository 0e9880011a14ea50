//! TCP connections.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::env::{Connection, Network};
use headwater_core::{Error, ErrorKind, Result};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct TcpNetwork;

impl Network for TcpNetwork {
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<Box<dyn Connection>> {
        let addresses = (host, port).to_socket_addrs();
        let addresses = addresses.map_err(|e| Error::outside(format!("cannot resolve host {host}"), e))?;
        let stream = first_that_answers(addresses, timeout)
            .map_err(|error| Error::outside(format!("error connecting to {host}:{port}"), error))?;
        let closer = stream.try_clone().map_err(|error| {
            Error::new(ErrorKind::Resources, format!("error connecting to {host}:{port}")).because(error)
        })?;
        Ok(Box::new(TcpConnection { stream, closer: Arc::new(closer) }))
    }
}

/// A host may have several addresses (`localhost` has `::1` and `127.0.0.1`): the first that answers.
fn first_that_answers(addresses: impl Iterator<Item = SocketAddr>, timeout: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

struct TcpConnection {
    stream: TcpStream,
    closer: Arc<TcpStream>,
}
impl Connection for TcpConnection {
    fn reader(&mut self) -> &mut dyn Read {
        &mut self.stream
    }
    fn writer(&mut self) -> &mut dyn Write {
        &mut self.stream
    }
    fn closer(&self) -> Arc<dyn Fn() + Send + Sync> {
        let stream = self.closer.clone();
        Arc::new(move || {
            // It may be closed already, by the peer.
            let _closed = stream.shutdown(Shutdown::Both);
        })
    }
}
