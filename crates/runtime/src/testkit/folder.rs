//! A folder of a test's own, removed at its end.
#![allow(clippy::disallowed_methods, reason = "a test's own files")]

use std::fmt;
use std::io::ErrorKind;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that is removed, with all that is in it, when this is dropped. Displays as its path.
pub struct TemporaryFolder {
    path: String,
}

/// A new empty folder below the system's temporary folder.
///
/// ```
/// let folder = headwater::testkit::temporary_folder();
/// std::fs::write(format!("{folder}/file"), "text").unwrap();
/// ```
pub fn temporary_folder() -> TemporaryFolder {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let name = format!("headwater-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path: PathBuf = std::env::temp_dir().join(name);
        match std::fs::create_dir(&path) {
            Ok(()) => return TemporaryFolder { path: path.to_string_lossy().into_owned() },
            // A process of the same number was killed and left it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => panic!("cannot make {}: {error}", path.display()),
        }
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's temporary folder.
        let _removed = std::fs::remove_dir_all(&self.path);
    }
}
impl Deref for TemporaryFolder {
    type Target = str;
    fn deref(&self) -> &str {
        &self.path
    }
}
impl fmt::Display for TemporaryFolder {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.path)
    }
}
