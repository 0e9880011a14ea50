//! [`RedisServer`]: which Redis, and how it is reached. Its password is in no error and in no `Debug` text.

use crate::errors;
use headwater_core::{Error, Result};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates};
use std::fmt;
use std::time::Duration;

/// How long to wait for a connection unless told otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for an answer unless told otherwise: writing the largest batch takes some 10 s.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);

/// A Redis server, 5 or newer: the master alone, or its replicas for look-ups. Redis Cluster and Sentinel are not known.
///
/// ```
/// use headwater_redis::RedisServer;
/// let server = RedisServer::new("rediss://app:secret@cache.example:6380/2").ca_pem("-----BEGIN CERTIFICATE-----");
/// assert_eq!(format!("{server:?}"), "RedisServer(cache.example:6380)");
/// ```
#[derive(Clone)]
pub struct RedisServer {
    /// What the address says, or what is wrong with it, to be told when somebody connects.
    info: std::result::Result<ConnectionInfo, String>,
    ca_pem: Option<Vec<u8>>,
    connect_timeout: Duration,
    response_timeout: Duration,
}

impl RedisServer {
    /// The server of an address: `redis://[USER][:PASSWORD]@HOST[:PORT][/DATABASE]`, with `rediss` for TLS. What is wrong
    /// with it is the error of the first connection.
    pub fn new(url: &str) -> RedisServer {
        let info = url.into_connection_info().map_err(|error| error.to_string());
        let (connect_timeout, response_timeout) = (CONNECT_TIMEOUT, RESPONSE_TIMEOUT);
        RedisServer { info, ca_pem: None, connect_timeout, response_timeout }
    }
    /// Trusts the certificates, as PEM, instead of the system's: for a server whose certificate is signed by one's own
    /// authority.
    pub fn ca_pem(self, certificates: impl Into<Vec<u8>>) -> RedisServer {
        RedisServer { ca_pem: Some(certificates.into()), ..self }
    }
    /// How long to wait for a connection, 5 s unless told otherwise.
    pub fn connect_timeout(self, connect_timeout: Duration) -> RedisServer {
        RedisServer { connect_timeout, ..self }
    }
    /// How long to wait for an answer, 60 s unless told otherwise.
    pub fn response_timeout(self, response_timeout: Duration) -> RedisServer {
        RedisServer { response_timeout, ..self }
    }

    /// `HOST:PORT`.
    pub(crate) fn name(&self) -> String {
        match self.info.as_ref().map(ConnectionInfo::addr) {
            Ok(ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) => format!("{host}:{port}"),
            Ok(address) => address.to_string(),
            Err(_) => "an address that is none".to_owned(),
        }
    }
    /// What connects to it.
    pub(crate) fn client(&self) -> Result<Client> {
        let info = self.info.clone().map_err(|wrong| {
            Error::program(format!(
                "the address of a Redis server does not read ({wrong}): write redis://[USER][:PASSWORD]@HOST[:PORT]\
                 [/DATABASE], or rediss:// for TLS, and % and a hexadecimal number for special characters"
            ))
        })?;
        let with_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if with_tls {
            // Of two providers in one program neither would be chosen; an error says that there is one already.
            let _chosen_before = rustls::crypto::ring::default_provider().install_default();
        }
        let client = match &self.ca_pem {
            Some(_) if !with_tls => {
                let message = format!("redis at {}: ca_pem is for addresses that begin with rediss://", self.name());
                return Err(Error::program(message));
            }
            Some(pem) => {
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) })
            }
            None => Client::open(info),
        };
        client.map_err(|error| Error::program(format!("redis at {}: {}", self.name(), self.scrubbed(&error))))
    }
    /// A new connection, which gives up waiting after the time-outs.
    pub(crate) fn connect(&self) -> Result<redis::Connection> {
        let connected = self.client()?.get_connection_with_timeout(self.connect_timeout);
        let connected = connected.and_then(|connection| {
            connection.set_read_timeout(Some(self.response_timeout))?;
            connection.set_write_timeout(Some(self.response_timeout))?;
            Ok(connection)
        });
        connected.map_err(|error| self.error(self.connecting(&error), &error))
    }
    /// How long to wait for a connection.
    pub(crate) fn timeout(&self) -> Duration {
        self.connect_timeout
    }
    /// What was tried; a server that is spoken to in the wrong way closes the connection, or waits for more, and says no more
    /// than that.
    pub(crate) fn connecting(&self, error: &redis::RedisError) -> &'static str {
        let closed = error.is_connection_dropped() && !error.is_connection_refusal();
        let with_tls = matches!(self.info.as_ref().map(ConnectionInfo::addr), Ok(ConnectionAddr::TcpTls { .. }));
        match with_tls {
            true if closed || error.is_timeout() => {
                "connecting (if it does not speak TLS, its address begins with redis://)"
            }
            false if closed => "connecting (if it wants TLS, its address begins with rediss://)",
            _ => "connecting",
        }
    }

    /// An error of the server or on the way to it, sorted by what helps; `doing` says what failed.
    pub(crate) fn error(&self, doing: &str, error: &redis::RedisError) -> Error {
        let (kind, hint) = errors::sorted(error);
        let hint = if hint.is_empty() { String::new() } else { format!(": {hint}") };
        // The system says "Resource temporarily unavailable".
        let text = if error.is_timeout() { "no answer in time".to_owned() } else { self.scrubbed(error) };
        Error::new(kind, format!("redis at {}: {doing}: {text}{hint}", self.name()))
    }
    /// The text of an error without the password, which a server may repeat that does not know a command.
    fn scrubbed(&self, error: &redis::RedisError) -> String {
        let text = error.to_string();
        match self.info.as_ref().ok().and_then(|info| info.redis_settings().password()) {
            Some(password) if !password.is_empty() => text.replace(password, "***"),
            _ => text,
        }
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "RedisServer({})", self.name())
    }
}
impl From<&str> for RedisServer {
    fn from(url: &str) -> RedisServer {
        RedisServer::new(url)
    }
}
impl From<String> for RedisServer {
    fn from(url: String) -> RedisServer {
        RedisServer::new(&url)
    }
}
impl From<&RedisServer> for RedisServer {
    fn from(server: &RedisServer) -> RedisServer {
        server.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_core::ErrorKind;
    use redis::RedisError;

    #[test]
    fn an_address_that_is_none_is_the_program_s_error_and_hides_the_password() {
        for url in ["secret", "http://:secret@host/", "redis://:secret@host:port/", "redis://:secret@host/secret"] {
            let server = RedisServer::new(url);
            let error = server.client().map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Program, "{url}");
            let shown = format!("{error} {error:?} {server:?}");
            assert!(shown.contains("write redis://") && !shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn what_a_server_repeats_of_the_password_is_struck_out() {
        let server = RedisServer::new("redis://:s%65cret@host");
        let kind = redis::ErrorKind::AuthenticationFailed;
        let repeated = RedisError::from((kind, "unknown command", "`AUTH`, with args: `secret`".to_owned()));
        let error = server.error("connecting", &repeated);
        assert_eq!(error.kind(), ErrorKind::Program);
        let shown = error.to_string();
        assert!(shown.starts_with("redis at host:6379: connecting: unknown command"), "{shown}");
        assert!(shown.contains("`***`") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn certificates_are_for_tls() {
        let error = RedisServer::new("redis://host").ca_pem("x").client().map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "redis at host:6379: ca_pem is for addresses that begin with rediss://");
    }
}
