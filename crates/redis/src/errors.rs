//! What Redis answers, sorted by what helps: [`sorted`]. It writes no messages of its own, only the hints behind them.

use headwater_core::ErrorKind;
use redis::{RedisError, ServerErrorKind};

/// Whose fault it is, and a hint at the fix, which may be empty.
pub(crate) fn sorted(error: &RedisError) -> (ErrorKind, &'static str) {
    use redis::ErrorKind as Redis;
    match error.kind() {
        Redis::AuthenticationFailed => (ErrorKind::Program, "mend the user or the password in its address"),
        Redis::InvalidClientConfig => (ErrorKind::Program, "mend its address"),
        Redis::RESP3NotSupported => (ErrorKind::Program, "take protocol=resp3 out of its address"),
        Redis::Io => of_connection(&error.to_string()),
        Redis::Server(kind) => of_server(kind, &error.to_string()),
        Redis::Extension => of_code(error.code().unwrap_or_default()),
        Redis::Parse => {
            (ErrorKind::Outside, "is that a Redis server, and does it speak TLS exactly if its address says so?")
        }
        _ => (ErrorKind::Outside, ""),
    }
}

/// A socket's errors; those of TLS are known by their text alone.
fn of_connection(text: &str) -> (ErrorKind, &'static str) {
    if text.contains("certificate") {
        return (ErrorKind::Program, "trust the authority that signed its certificate, by RedisServer::ca_pem");
    }
    if text.contains("InvalidContentType") {
        return (ErrorKind::Program, "it does not speak TLS there: take another port, or redis:// for rediss://");
    }
    (ErrorKind::Outside, "")
}

fn of_server(kind: ServerErrorKind, text: &str) -> (ErrorKind, &'static str) {
    const CLUSTER: &str = "it belongs to a Redis Cluster, which is not supported: use a server without a cluster";
    match kind {
        ServerErrorKind::NoPerm => (ErrorKind::Program, "allow it to the user of its address (ACL SETUSER)"),
        ServerErrorKind::ReadOnly => (ErrorKind::Outside, "it is a read-only replica: give the address of its master"),
        ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot => (ErrorKind::Program, CLUSTER),
        // A script's error may have the code of what it called further behind.
        ServerErrorKind::ResponseError => of_text(text).unwrap_or((ErrorKind::Outside, "")),
        ServerErrorKind::ExecAbort => of_text(text).unwrap_or((ErrorKind::Outside, "nothing of it was written")),
        _ => (ErrorKind::Outside, ""),
    }
}

/// The codes that the client library has no kind for.
fn of_code(code: &str) -> (ErrorKind, &'static str) {
    match code {
        "OOM" => (
            ErrorKind::Resources,
            "its memory is full, and its policy finds nothing that may go: raise maxmemory, or remove what is old",
        ),
        "WRONGTYPE" => (ErrorKind::Data, "remove or rename that key, or write to another one"),
        "NOAUTH" => (ErrorKind::Program, "it wants a password: put it into its address"),
        "WRONGPASS" => (ErrorKind::Program, "mend the user or the password in its address"),
        "MISCONF" => (ErrorKind::Outside, "it cannot write to its disk, and says why in its log"),
        "NOREPLICAS" => (ErrorKind::Outside, "fewer replicas are there than it wants (min-replicas-to-write)"),
        _ => (ErrorKind::Outside, ""),
    }
}

fn of_text(text: &str) -> Option<(ErrorKind, &'static str)> {
    if text.contains("DB index is out of range") {
        return Some((ErrorKind::Program, "it has no database of that number: mend its address"));
    }
    let codes = ["OOM", "WRONGTYPE", "NOAUTH", "MISCONF", "NOREPLICAS"];
    if let Some(code) = codes.into_iter().find(|code| text.contains(code)) {
        return Some(of_code(code));
    }
    let kinds = [
        ("READONLY", ServerErrorKind::ReadOnly),
        ("NOPERM", ServerErrorKind::NoPerm),
        ("MOVED", ServerErrorKind::Moved),
    ];
    let (_, kind) = kinds.into_iter().find(|(code, _)| text.contains(code))?;
    Some(of_server(kind, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// As a server's answer arrives.
    fn answered(line: &str) -> ErrorKind {
        let value = redis::parse_redis_value(line.as_bytes()).expect("it is an answer");
        let error = value.extract_error().expect_err("it is an error");
        sorted(&error).0
    }

    #[test]
    fn answers_are_sorted_by_what_helps() {
        let program = ["-NOPERM no permission\r\n", "-WRONGPASS wrong\r\n", "-NOAUTH needed\r\n", "-MOVED 1 a:1\r\n"];
        program.iter().for_each(|line| assert_eq!(answered(line), ErrorKind::Program, "{line}"));
        let outside = ["-READONLY r\r\n", "-LOADING l\r\n", "-BUSY b\r\n", "-MISCONF m\r\n", "-ERR what\r\n"];
        outside.iter().for_each(|line| assert_eq!(answered(line), ErrorKind::Outside, "{line}"));
        assert_eq!(answered("-OOM command not allowed\r\n"), ErrorKind::Resources);
        assert_eq!(answered("-ERR DB index is out of range\r\n"), ErrorKind::Program);
        assert_eq!(answered("-WRONGTYPE Operation against a key\r\n"), ErrorKind::Data);
        assert_eq!(answered("-ERR Error running script: -OOM command not allowed\r\n"), ErrorKind::Resources);
    }

    #[test]
    fn a_connection_that_fails_is_tried_again_and_a_certificate_that_is_not_trusted_is_not() {
        let of_io = |text: &str| sorted(&RedisError::from(io::Error::other(text.to_owned()))).0;
        assert_eq!(of_io("connection refused"), ErrorKind::Outside);
        assert_eq!(of_io("invalid peer certificate: UnknownIssuer"), ErrorKind::Program);
        assert_eq!(of_io("received corrupt message of type InvalidContentType"), ErrorKind::Program);
    }
}
