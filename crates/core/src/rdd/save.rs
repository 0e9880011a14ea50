//! How a dataset becomes a folder of files, one per partition, complete or not there, and durable: what
//! `save_as_text_file` and `save_as_object_file` have in common.

use super::{Node, Outcome, Rdd, Stop, Task};
use crate::env::{FileSystem, FileWriter};
use crate::origin::Origin;
use crate::{Closure, Error, Record, Result};
use std::io;

/// Over what a folder is written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// There must be nothing.
    New,
    /// What an earlier try at the same batch may have left goes.
    Replaced,
}

/// The file of a partition, under its temporary name.
pub(super) struct Part {
    pub(super) file: Box<dyn FileWriter>,
    path: String,
}
impl Part {
    /// What makes the error of a write, which names the file.
    pub(super) fn failing(&self) -> impl Fn(io::Error) -> Stop + use<> {
        let path = self.path.clone();
        move |error| Error::outside(format!("cannot write {path}"), error).into()
    }
}

impl<T: Record> Rdd<T> {
    /// A dataset without records, computing whose partitions writes this one's to `path/part-00000`, ... with `write`,
    /// which is given the node, the task, what to blame and the file. A part is written to `path/_temporary` and renamed
    /// when it is whole. [`Rdd::save_parts`] makes the folder and computes it.
    #[track_caller]
    pub(super) fn parts(
        &self,
        operation: &'static str,
        path: &str,
        write: impl Fn(&dyn Node<T>, &Task<'_>, Origin, &mut Part) -> Outcome + Closure,
    ) -> Rdd<()> {
        let (files, path, origin) = (self.context.env().files.clone(), path.to_owned(), Origin::here(operation));
        self.narrow(false, move |node, task, _sink| {
            save_part(&*files, &path, task, |part| write(node, task, origin, part))
        })
    }
}

impl Rdd<()> {
    /// Computes the [`Rdd::parts`] of the folder `path`, and adds `_SUCCESS`. All files and their names are durable when
    /// this returns.
    pub(crate) fn save_parts(&self, operation: &str, path: &str, target: Target) -> Result<()> {
        self.agreed(|| self.save_parts_here(operation, path, target))
    }

    fn save_parts_here(&self, operation: &str, path: &str, target: Target) -> Result<()> {
        let files = self.context.env().files.clone();
        if path.is_empty() {
            return Err(Error::program(format!("{operation}(\"\"): the output folder needs a name")));
        }
        if target == Target::Replaced {
            files.remove_folder(path)?;
        } else if files.exists(path)? {
            return Err(Error::program(format!("output folder {path} exists already; remove it or choose another")));
        }
        let temporary = format!("{path}/_temporary");
        files.create_folder(&temporary)?;
        let written = self.count();
        // Also what failed attempts have left, of which a full disk has the least need.
        let cleared = files.remove_folder(&temporary);
        if let Err(error) = written {
            // Whole parts without the others would read as if they were all.
            return Err(match files.remove_folder(path) {
                Ok(()) => error,
                Err(left) => error.within(format!("{path} is left half-written, as it cannot be removed ({left})")),
            });
        }
        cleared?;
        files.sync_folder(path)?;
        files.create(&format!("{path}/_SUCCESS"))?.sync()?;
        files.sync_folder(path)?;
        files.sync_folder(parent(path))
    }
}

fn save_part(
    files: &dyn FileSystem,
    path: &str,
    task: &Task<'_>,
    write: impl FnOnce(&mut Part) -> Outcome,
) -> Result<(), Stop> {
    let name = format!("part-{:05}", task.partition());
    let temporary = format!("{path}/_temporary/{name}.{}", task.attempt());
    let mut part = Part { file: files.create(&temporary)?, path: temporary };
    write(&mut part)?;
    part.file.flush().map_err(part.failing())?;
    part.file.sync()?;
    let Part { file, path: temporary } = part;
    drop(file);
    Ok(files.rename(&temporary, &format!("{path}/{name}"))?)
}

/// The folder that `path` lies in.
fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn parents_of_paths() {
        let cases = [("a", "."), ("a/b", "a"), ("/a", "/"), ("/a/b/", "/a"), ("a//b", "a/")];
        cases.into_iter().for_each(|(path, expected)| assert_eq!(parent(path), expected));
    }
}
