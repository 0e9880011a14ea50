//! [`SimulatedDisk`]: files and folders in memory that know what of them would survive a crash of the machine, and
//! [`ProcessFiles`], a process on it, in which any step can go wrong.

use headwater::env::{FileSystem, FileWriter, FolderEntry};
use headwater::{Error, Result};
use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};

/// What is left of a process that ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Crash {
    /// All that it did: the machine lives.
    OfProcess,
    /// What was synced.
    OfMachine,
    /// All names, and of files what was synced: the names came to the disk before the bytes.
    BetweenNamesAndBytes,
}

/// What happens at a step.
pub(crate) enum Fault {
    /// It is not done, and nothing behind it.
    CrashBefore,
    /// It is done, and nothing behind it.
    CrashAfter,
    /// It fails and is not done.
    Fail(ErrorKind),
    /// It is done, and reported as failed.
    FailAfter(ErrorKind),
    /// Something else happens before it.
    Meanwhile(Box<dyn FnOnce() + Send>),
}

enum Node {
    File { live: Vec<u8>, durable: Vec<u8> },
    Folder { live: Names, durable: Names },
}
type Names = BTreeMap<String, usize>;

/// A rename of `id` that no sync of one of its two folders has made durable.
struct Rename {
    from: (usize, String),
    to: (usize, String),
    id: usize,
}

struct Nodes {
    nodes: Vec<Node>,
    renames: Vec<Rename>,
    temporary: u64,
}

#[derive(Clone)]
pub(crate) struct SimulatedDisk(Arc<Mutex<Nodes>>);

impl SimulatedDisk {
    pub(crate) fn new() -> SimulatedDisk {
        let root = Node::Folder { live: Names::new(), durable: Names::new() };
        SimulatedDisk(Arc::new(Mutex::new(Nodes { nodes: vec![root], renames: Vec::new(), temporary: 0 })))
    }
    /// A process that meets the fault at the step of this number, counted from 1.
    pub(crate) fn process(&self, fault: Option<(u64, Fault)>) -> ProcessFiles {
        ProcessFiles { disk: self.clone(), plan: Arc::new(Mutex::new(Plan { fault, steps: 0, has_ended: false })) }
    }
    pub(crate) fn crash(&self, crash: Crash) {
        let mut nodes = self.lock();
        nodes.renames.clear();
        for node in &mut nodes.nodes {
            match node {
                Node::File { live, durable } if crash == Crash::OfProcess => durable.clone_from(live),
                Node::File { live, durable } => live.clone_from(durable),
                Node::Folder { live, durable } if crash == Crash::OfMachine => live.clone_from(durable),
                Node::Folder { live, durable } => durable.clone_from(live),
            }
        }
    }
    fn lock(&self) -> MutexGuard<'_, Nodes> {
        self.0.lock().unwrap()
    }
}

fn failed<T>(kind: ErrorKind) -> io::Result<T> {
    Err(io::Error::new(kind, "the simulated disk says so"))
}

impl Nodes {
    fn find(&self, path: &str) -> io::Result<usize> {
        path.split('/').filter(|name| !matches!(*name, "" | ".")).try_fold(0, |folder, name| {
            self.names(folder)?.get(name).copied().ok_or_else(|| io::Error::from(ErrorKind::NotFound))
        })
    }
    fn names(&self, folder: usize) -> io::Result<&Names> {
        match &self.nodes[folder] {
            Node::Folder { live, .. } => Ok(live),
            Node::File { .. } => failed(ErrorKind::NotADirectory),
        }
    }
    fn names_mut(&mut self, folder: usize) -> io::Result<&mut Names> {
        match &mut self.nodes[folder] {
            Node::Folder { live, .. } => Ok(live),
            Node::File { .. } => failed(ErrorKind::NotADirectory),
        }
    }
    /// The folder that `path` lies in, and its name there.
    fn place(&self, path: &str) -> io::Result<(usize, String)> {
        let (parent, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or((".", path));
        Ok((self.find(parent)?, name.to_owned()))
    }
    fn add(&mut self, path: &str, node: Node) -> io::Result<usize> {
        let ((folder, name), id) = (self.place(path)?, self.nodes.len());
        self.names_mut(folder)?.insert(name, id);
        self.nodes.push(node);
        Ok(id)
    }
    fn create(&mut self, path: &str) -> io::Result<usize> {
        match self.find(path) {
            Ok(id) => match &mut self.nodes[id] {
                Node::File { live, .. } => {
                    live.clear();
                    Ok(id)
                }
                Node::Folder { .. } => failed(ErrorKind::IsADirectory),
            },
            Err(_) => self.add(path, Node::File { live: Vec::new(), durable: Vec::new() }),
        }
    }
    fn create_folder(&mut self, path: &str) -> io::Result<()> {
        let mut at = String::new();
        for name in path.split('/') {
            at = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            match self.find(&at) {
                Ok(id) => drop(self.names(id)?),
                Err(_) => drop(self.add(&at, Node::Folder { live: Names::new(), durable: Names::new() })?),
            }
        }
        Ok(())
    }
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let ((from_folder, from), (to_folder, to)) = (self.place(from)?, self.place(to)?);
        let Some(id) = self.names(from_folder)?.get(&from).copied() else { return failed(ErrorKind::NotFound) };
        if let Some(there) = self.names(to_folder)?.get(&to)
            && let Node::Folder { live, .. } = &self.nodes[*there]
            && !live.is_empty()
        {
            return failed(ErrorKind::DirectoryNotEmpty);
        }
        self.names_mut(from_folder)?.remove(&from);
        self.names_mut(to_folder)?.insert(to.clone(), id);
        self.renames.push(Rename { from: (from_folder, from), to: (to_folder, to), id });
        Ok(())
    }
    /// A rename is durable as a whole, by whichever of its two folders.
    fn sync_folder(&mut self, path: &str) -> io::Result<()> {
        let folder = self.find(path)?;
        let names = self.names(folder)?.clone();
        self.durable_names(folder, |durable| *durable = names);
        let (done, left): (Vec<_>, Vec<_>) =
            self.renames.drain(..).partition(|rename| rename.from.0 == folder || rename.to.0 == folder);
        self.renames = left;
        for Rename { from, to, id } in done {
            self.durable_names(from.0, |durable| {
                if durable.get(&from.1) == Some(&id) {
                    durable.remove(&from.1);
                }
            });
            if self.names(to.0)?.get(&to.1) == Some(&id) {
                self.durable_names(to.0, |durable| {
                    durable.insert(to.1, id);
                });
            }
        }
        Ok(())
    }
    fn durable_names(&mut self, folder: usize, change: impl FnOnce(&mut Names)) {
        if let Node::Folder { durable, .. } = &mut self.nodes[folder] {
            change(durable);
        }
    }
}

struct Plan {
    fault: Option<(u64, Fault)>,
    steps: u64,
    has_ended: bool,
}

/// The files of one process. Clones are the same process.
#[derive(Clone)]
pub(crate) struct ProcessFiles {
    disk: SimulatedDisk,
    plan: Arc<Mutex<Plan>>,
}

impl ProcessFiles {
    /// How many steps it has made.
    pub(crate) fn steps(&self) -> u64 {
        self.plan.lock().unwrap().steps
    }
    /// Whether it met a crash.
    pub(crate) fn has_ended(&self) -> bool {
        self.plan.lock().unwrap().has_ended
    }
    fn look<R>(&self, what: &str, path: &str, look: impl FnOnce(&mut Nodes) -> io::Result<R>) -> Result<R> {
        let looked = if self.has_ended() { failed(ErrorKind::BrokenPipe) } else { look(&mut self.disk.lock()) };
        looked.map_err(|error| Error::outside(format!("cannot {what} {path}"), error))
    }
    /// A look that changes something, and may go wrong.
    fn step<R>(&self, what: &str, path: &str, step: impl FnOnce(&mut Nodes) -> io::Result<R>) -> Result<R> {
        let fault = {
            let mut plan = self.plan.lock().unwrap();
            plan.steps += 1;
            let now = plan.steps;
            plan.fault.take_if(|(at, _)| *at == now).map(|(_, fault)| fault)
        };
        let end = || self.plan.lock().unwrap().has_ended = true;
        let said = |kind| failed(kind).map_err(|error| Error::outside(format!("cannot {what} {path}"), error));
        match fault {
            None => self.look(what, path, step),
            Some(Fault::Meanwhile(other)) => {
                other();
                self.look(what, path, step)
            }
            Some(Fault::Fail(kind)) => said(kind),
            Some(Fault::FailAfter(kind)) => self.look(what, path, step).and_then(|_| said(kind)),
            Some(Fault::CrashBefore) => {
                end();
                self.look(what, path, step)
            }
            Some(Fault::CrashAfter) => {
                let _done = self.look(what, path, step);
                end();
                said(ErrorKind::BrokenPipe)
            }
        }
    }
}

impl FileSystem for ProcessFiles {
    fn open(&self, path: &str, offset: u64) -> Result<Box<dyn Read + Send>> {
        self.look("open", path, |nodes| match &nodes.nodes[nodes.find(path)?] {
            Node::File { live, .. } => {
                let mut bytes = Cursor::new(live.clone());
                bytes.set_position(offset);
                Ok(Box::new(bytes) as Box<dyn Read + Send>)
            }
            Node::Folder { .. } => failed(ErrorKind::IsADirectory),
        })
    }
    fn len(&self, path: &str) -> Result<u64> {
        self.look("open", path, |nodes| match &nodes.nodes[nodes.find(path)?] {
            Node::File { live, .. } => Ok(live.len() as u64),
            Node::Folder { .. } => failed(ErrorKind::IsADirectory),
        })
    }
    fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        let id = self.step("create", path, |nodes| nodes.create(path))?;
        Ok(Box::new(OpenFile { files: self.clone(), path: path.to_owned(), id }))
    }
    fn create_folder(&self, path: &str) -> Result<()> {
        self.step("create folder", path, |nodes| nodes.create_folder(path))
    }
    fn create_temporary_folder(&self, parent: Option<&str>) -> Result<String> {
        let parent = parent.expect("the tests' sinks name it");
        self.step("create folder", parent, |nodes| {
            nodes.temporary += 1;
            let path = format!("{parent}/unique-{}", nodes.temporary);
            nodes.create_folder(&path).map(|()| path)
        })
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.step(&format!("rename to {to}"), from, |nodes| nodes.rename(from, to))
    }
    fn sync_folder(&self, path: &str) -> Result<()> {
        self.step("make durable the folder", path, |nodes| nodes.sync_folder(path))
    }
    fn exists(&self, path: &str) -> Result<bool> {
        self.look("look at", path, |nodes| Ok(nodes.find(path).is_ok()))
    }
    fn list(&self, path: &str) -> Result<Vec<FolderEntry>> {
        self.look("list folder", path, |nodes| {
            let entry = |(name, id): (&String, &usize)| {
                let is_folder = matches!(nodes.nodes[*id], Node::Folder { .. });
                FolderEntry { name: name.clone(), is_folder }
            };
            Ok(nodes.names(nodes.find(path)?)?.iter().map(entry).collect())
        })
    }
    fn remove_file(&self, path: &str) -> Result<()> {
        self.step("remove", path, |nodes| {
            // None there is no error.
            if let Ok((folder, name)) = nodes.place(path) {
                nodes.names_mut(folder)?.remove(&name);
            }
            Ok(())
        })
    }
    fn remove_folder(&self, path: &str) -> Result<()> {
        // One by one: a process may end with half of it removed.
        if self.exists(path)? {
            for entry in self.list(path)? {
                let path = format!("{path}/{}", entry.name);
                if entry.is_folder { self.remove_folder(&path)? } else { self.remove_file(&path)? }
            }
        }
        self.step("remove folder", path, |nodes| {
            // None there is no error.
            let Ok(id) = nodes.find(path) else { return Ok(()) };
            if !nodes.names(id)?.is_empty() {
                return failed(ErrorKind::DirectoryNotEmpty);
            }
            let (folder, name) = nodes.place(path)?;
            nodes.names_mut(folder)?.remove(&name);
            Ok(())
        })
    }
}

struct OpenFile {
    files: ProcessFiles,
    path: String,
    id: usize,
}
impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.files.step("write", &self.path, |nodes| {
            if let Node::File { live, .. } = &mut nodes.nodes[self.id] {
                live.extend_from_slice(bytes);
            }
            Ok(bytes.len())
        });
        // As a disk would say it: the cause alone.
        written.map_err(|error| {
            let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<io::Error>());
            io::Error::from(cause.map_or(ErrorKind::Other, io::Error::kind))
        })
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl FileWriter for OpenFile {
    fn sync(&mut self) -> Result<()> {
        self.files.step("make durable", &self.path, |nodes| {
            if let Node::File { live, durable } = &mut nodes.nodes[self.id] {
                durable.clone_from(live);
            }
            Ok(())
        })
    }
}
