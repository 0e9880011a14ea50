//! [`Disk`]: the environment's files, with errors whose kind says what helps.

use headwater_core::env::{FileSystem, FolderEntry};
use headwater_core::{Error, ErrorKind, Result};
use std::io;

/// The files of an environment, as a sink sees them.
#[derive(Clone, Copy)]
pub(crate) struct Disk<'a>(pub(crate) &'a dyn FileSystem);

impl Disk<'_> {
    pub(crate) fn exists(self, path: &str) -> Result<bool> {
        self.0.exists(path).map_err(judged)
    }
    pub(crate) fn list(self, path: &str) -> Result<Vec<FolderEntry>> {
        self.0.list(path).map_err(judged)
    }
    /// Where there is no such folder, nothing is in it.
    pub(crate) fn list_if_there(self, path: &str) -> Result<Vec<FolderEntry>> {
        if self.exists(path)? { self.list(path) } else { Ok(Vec::new()) }
    }
    pub(crate) fn rename(self, from: &str, to: &str) -> Result<()> {
        self.0.rename(from, to).map_err(judged)
    }
    pub(crate) fn sync_folder(self, path: &str) -> Result<()> {
        self.0.sync_folder(path).map_err(judged)
    }
    pub(crate) fn open(self, path: &str) -> Result<Box<dyn io::Read + Send>> {
        self.0.open(path, 0).map_err(judged)
    }
    pub(crate) fn remove_file(self, path: &str) -> Result<()> {
        self.0.remove_file(path).map_err(judged)
    }
    pub(crate) fn remove_folder(self, path: &str) -> Result<()> {
        self.0.remove_folder(path).map_err(judged)
    }
    /// A new folder below `parent`, which is made if need be, with a name that nobody has or had while others looked.
    pub(crate) fn create_unique_folder(self, parent: &str) -> Result<String> {
        self.0.create_temporary_folder(Some(parent)).map_err(judged)
    }
    /// Makes the folder and those above it, so that their names survive a crash of the machine.
    pub(crate) fn create_folder_durably(self, path: &str) -> Result<()> {
        let mut missing = vec![path];
        while let Some(folder) = missing.last()
            && !self.exists(folder)?
        {
            missing.push(parent(folder));
        }
        self.0.create_folder(path).map_err(judged)?;
        missing.iter().skip(1).rev().try_for_each(|folder| self.sync_folder(folder))
    }
    /// The whole content of a small file.
    pub(crate) fn read(self, path: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = |error| judged(Error::outside(format!("cannot read {path}"), error));
        io::Read::read_to_end(&mut self.0.open(path, 0).map_err(judged)?, &mut bytes).map_err(read)?;
        Ok(bytes)
    }
    /// Makes a file of these bytes, which survive a crash once its folder is synced.
    pub(crate) fn write(self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut file = self.0.create(path).map_err(judged)?;
        let failed = |error| judged(Error::outside(format!("cannot write {path}"), error));
        file.write_all(bytes).map_err(failed)?;
        file.flush().map_err(failed)?;
        file.sync().map_err(judged)
    }
}

/// The folder that `path` lies in.
pub(crate) fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    }
}

/// The same error, with the kind that its cause asks for and a hint.
pub(crate) fn judged(error: Error) -> Error {
    use io::ErrorKind::{
        AlreadyExists, DirectoryNotEmpty, FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    let cause = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
    let (kind, hint) = match cause.map(io::Error::kind) {
        Some(StorageFull | QuotaExceeded | FileTooLarge) => (ErrorKind::Resources, "free some space on the disk"),
        Some(ReadOnlyFilesystem) => (ErrorKind::Program, "choose a file system that can be written to"),
        Some(PermissionDenied) => (ErrorKind::Program, "change the folder's permissions or choose another"),
        Some(NotFound) => (ErrorKind::Program, "it, or its folder, was removed while it was in use"),
        Some(AlreadyExists | IsADirectory | NotADirectory | DirectoryNotEmpty) => {
            (ErrorKind::Program, "something else has the name; remove it or choose another")
        }
        _ => return error,
    };
    Error::new(kind, format!("{error}: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_error_says_what_helps() {
        let judge = |kind: io::ErrorKind| judged(Error::outside("cannot write a/b", io::Error::from(kind)));
        let kinds = [
            (io::ErrorKind::StorageFull, ErrorKind::Resources),
            (io::ErrorKind::ReadOnlyFilesystem, ErrorKind::Program),
            (io::ErrorKind::PermissionDenied, ErrorKind::Program),
            (io::ErrorKind::NotFound, ErrorKind::Program),
            (io::ErrorKind::TimedOut, ErrorKind::Outside),
        ];
        kinds.into_iter().for_each(|(cause, kind)| assert_eq!(judge(cause).kind(), kind, "{cause:?}"));
        let full = judge(io::ErrorKind::StorageFull).to_string();
        assert!(full.starts_with("cannot write a/b: ") && full.ends_with(": free some space on the disk"), "{full}");
        assert_eq!(judged(Error::new(ErrorKind::Data, "odd")).kind(), ErrorKind::Data);
    }

    #[test]
    fn parents_of_paths() {
        let cases = [("a", "."), ("a/b", "a"), ("/a", "/"), ("/a/b/", "/a"), ("a//b", "a/")];
        cases.into_iter().for_each(|(path, expected)| assert_eq!(parent(path), expected));
    }
}
