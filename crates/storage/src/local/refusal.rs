//! What the disk refused, as an error that says what helps.

use headwater_core::{Error, ErrorKind};
use std::io;

/// The error of an attempt to do `what` to `path`.
pub(super) fn refused(what: &str, path: &str, error: io::Error) -> Error {
    use io::ErrorKind::{
        AlreadyExists, FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded,
        ReadOnlyFilesystem, StorageFull, Unsupported,
    };
    let (kind, hint) = match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => (ErrorKind::Resources, "the disk is full; free some space"),
        ReadOnlyFilesystem => (ErrorKind::Program, "the file system is read-only; use one that can be written to"),
        PermissionDenied => (ErrorKind::Program, "this user may not; change the folder's permissions or use another"),
        NotFound => (ErrorKind::Program, "it, or its folder, was removed while it was in use"),
        AlreadyExists | IsADirectory | NotADirectory => (ErrorKind::Program, "a file and a folder have the same name"),
        Unsupported => (ErrorKind::Program, "the file system cannot do it; use one that has hard links"),
        _ => return Error::outside(format!("cannot {what} {path}"), error),
    };
    Error::new(kind, format!("cannot {what} {path}: {hint}")).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_can_tell_what_helps() {
        let kind = |kind: io::ErrorKind| refused("write", "a/b", kind.into()).kind();
        assert_eq!(kind(io::ErrorKind::StorageFull), ErrorKind::Resources);
        assert_eq!(kind(io::ErrorKind::QuotaExceeded), ErrorKind::Resources);
        assert_eq!(kind(io::ErrorKind::ReadOnlyFilesystem), ErrorKind::Program);
        assert_eq!(kind(io::ErrorKind::NotFound), ErrorKind::Program);
        assert_eq!(kind(io::ErrorKind::TimedOut), ErrorKind::Outside);
        let message = refused("write", "a/b", io::ErrorKind::ReadOnlyFilesystem.into()).to_string();
        assert!(message.starts_with("cannot write a/b: the file system is read-only"), "{message}");
    }
}
