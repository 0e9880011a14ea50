//! A part: what a task hands to the commit. First the keys that must be of a certain type, then [`Group`]s of writes, each of
//! which becomes one call of a script. It lives as long as the batch, and never on a disk.

use super::write::Kind;
use crate::resp;
use headwater_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Writes on their way into one call of the script: keys and arguments as they go over the wire.
#[derive(Default)]
pub(crate) struct Group {
    keys: Vec<u8>,
    keys_count: usize,
    args: Vec<u8>,
    args_count: usize,
}
impl Group {
    /// Adds a command, as the script reads it: its name, the number of its arguments, and those.
    pub(crate) fn add(&mut self, command: &str, key: &[u8], args: (&[u8], usize), scratch: &mut Vec<u8>) {
        resp::bulk(&mut self.keys, key);
        self.keys_count += 1;
        resp::bulk_of(&mut self.args, command, scratch);
        resp::bulk_of(&mut self.args, &args.1, scratch);
        self.args.extend_from_slice(args.0);
        self.args_count += 2 + args.1;
    }
    pub(crate) fn writes(&self) -> usize {
        self.keys_count
    }
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() + self.args.len()
    }
    /// Moves it behind the others, and is empty.
    pub(crate) fn end(&mut self, groups: &mut Vec<u8>) {
        if self.keys_count > 0 {
            let Group { keys, keys_count, args, args_count } = self;
            [*keys_count, *args_count, keys.len(), args.len()]
                .into_iter()
                .for_each(|number| put_number(groups, number));
            groups.append(keys);
            groups.append(args);
            (*keys_count, *args_count) = (0, 0);
        }
    }
}

/// A part of these keys and groups.
pub(crate) fn new(keys: &BTreeMap<Vec<u8>, Kind>, groups: &[u8]) -> Vec<u8> {
    let mut part = Vec::with_capacity(groups.len() + 8 + keys.keys().map(|key| key.len() + 9).sum::<usize>());
    put_number(&mut part, keys.len());
    for (key, kind) in keys {
        put_number(&mut part, Kind::ALL.iter().position(|each| each == kind).expect("all kinds are there"));
        put_number(&mut part, key.len());
        part.extend_from_slice(key);
    }
    part.extend_from_slice(groups);
    part
}

/// The writes of one call, in a part.
pub(crate) struct GroupView<'a> {
    pub(crate) keys: &'a [u8],
    pub(crate) keys_count: usize,
    pub(crate) args: &'a [u8],
    pub(crate) args_count: usize,
}

/// Adds a part's keys to those of the batch, and returns its groups.
pub(crate) fn read<'a>(part: &'a [u8], keys: &mut BTreeMap<&'a [u8], Kind>) -> Result<Vec<GroupView<'a>>> {
    let mut reader = Reader(part);
    for _ in 0..reader.number()? {
        let kind = *Kind::ALL.get(reader.number()?).ok_or_else(damaged)?;
        let length = reader.number()?;
        let key = reader.bytes(length)?;
        match keys.entry(key) {
            Entry::Occupied(before) if *before.get() != kind => return Err(two_kinds(key, *before.get(), kind)),
            Entry::Occupied(_) => {}
            Entry::Vacant(entry) => drop(entry.insert(kind)),
        }
    }
    let mut groups = Vec::new();
    while !reader.0.is_empty() {
        let (keys_count, args_count) = (reader.number()?, reader.number()?);
        let (keys_bytes, args_bytes) = (reader.number()?, reader.number()?);
        let (keys, args) = (reader.bytes(keys_bytes)?, reader.bytes(args_bytes)?);
        groups.push(GroupView { keys, keys_count, args, args_count });
    }
    Ok(groups)
}

/// What is left of a part.
struct Reader<'a>(&'a [u8]);
impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<usize> {
        let bytes = self.bytes(4)?.try_into().expect("it has 4 bytes");
        Ok(u32::from_le_bytes(bytes) as usize)
    }
    fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(bytes)
    }
}

fn put_number(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("a part has less than 4 GiB");
    out.extend_from_slice(&number.to_le_bytes());
}
fn damaged() -> Error {
    Error::new(ErrorKind::Internal, "a prepared partition does not read")
}
pub(crate) fn two_kinds(key: &[u8], before: Kind, kind: Kind) -> Error {
    let (key, before, kind) = (String::from_utf8_lossy(key), before.type_name(), kind.type_name());
    let message = format!("key {key:?} is written as a {before} and as a {kind} in one batch: a key has one type");
    Error::new(ErrorKind::Data, message)
}
pub(crate) fn too_large(what: &str, bytes: usize, bytes_max: usize) -> Error {
    let message = format!(
        "{what} comes to {bytes} bytes of commands, and a batch may have {bytes_max}, since Redis holds all of them until \
         it writes them at once: take shorter batches, or raise RedisSink::batch_bytes_max"
    );
    Error::new(ErrorKind::Resources, message)
}
