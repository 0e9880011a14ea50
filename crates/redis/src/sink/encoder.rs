//! [`Encoder`]: the writes of a partition as the bytes of a part ([`part`](super::part)), in a task. It connects to nothing.

use super::part::{self, Group};
use super::write::{Kind, MaxLen, RedisWrite};
use crate::{RedisArg, resp};
use headwater_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// Arguments of one command at most: Lua takes no more than some 8,000.
const ARGS_MAX: usize = 2_000;
/// A call of the script ends behind so many writes.
const GROUP_WRITES_MAX: usize = 512;
/// A call of the script ends behind so many bytes, however large the last write.
const GROUP_BYTES_MAX: usize = 64 << 10;

pub(crate) struct Encoder {
    /// What a part may have at most.
    bytes_max: usize,
    /// Whether a key may be written in more than one way, so that strings must be remembered too.
    mixed: bool,
    keys: BTreeMap<Vec<u8>, Kind>,
    groups: Vec<u8>,
    group: Group,
    write: Open,
    scratch: Vec<u8>,
}

/// The command that is written now; fields of one hash come into one command.
#[derive(Default)]
struct Open {
    kind: Option<Kind>,
    key: Vec<u8>,
    args: Vec<u8>,
    args_count: usize,
}

impl Encoder {
    pub(crate) fn new(bytes_max: usize, mixed: bool) -> Encoder {
        let (keys, groups, group, write, scratch) = Default::default();
        Encoder { bytes_max, mixed, keys, groups, group, write, scratch }
    }

    pub(crate) fn hash(&mut self, key: &[u8], field: &impl RedisArg, value: &impl RedisArg) -> Result<()> {
        let Open { kind, key: open, args_count, args } = &self.write;
        let goes_on =
            *kind == Some(Kind::Hash) && open == key && *args_count + 2 <= ARGS_MAX && args.len() < GROUP_BYTES_MAX;
        if !goes_on {
            self.begin(Kind::Hash, key)?;
        }
        self.arg(field);
        self.arg(value);
        self.check_size()
    }

    pub(crate) fn string(&mut self, key: &[u8], value: &impl RedisArg, expire: Option<Duration>) -> Result<()> {
        self.begin(Kind::Text, key)?;
        self.arg(value);
        if let Some(after) = expire {
            self.arg("PX");
            // Redis takes no time-out of 0.
            self.arg(&after.as_millis().max(1));
        }
        self.check_size()
    }

    pub(crate) fn stream<F: RedisArg, V: RedisArg>(
        &mut self,
        key: &[u8],
        MaxLen(max_len): MaxLen,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Result<()> {
        self.begin(Kind::Stream, key)?;
        if let Some((about, entries)) = max_len {
            self.arg("MAXLEN");
            self.arg(if about { "~" } else { "=" });
            self.arg(&entries);
        }
        self.arg("*");
        let before = self.write.args_count;
        for (field, value) in fields {
            self.arg(&field);
            self.arg(&value);
            self.check_size()?;
        }
        let fields = (self.write.args_count - before) / 2;
        if fields == 0 || self.write.args_count > ARGS_MAX {
            let key = String::from_utf8_lossy(key).into_owned();
            let message =
                format!("an entry of the stream {key:?} has {fields} fields: 1 to {} are taken", ARGS_MAX / 2 - 2);
            return Err(Error::new(ErrorKind::Data, message));
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, write: &RedisWrite) -> Result<()> {
        let pair = |pair: &'_ [Vec<u8>]| (pair[0].clone(), pair[1].clone());
        match write.kind {
            Kind::Hash => self.hash(&write.key, &write.args[0], &write.args[1]),
            Kind::Text => self.string(&write.key, &write.args[0], write.expire),
            Kind::Stream => self.stream(&write.key, write.max_len, write.args.chunks(2).map(pair)),
        }
    }

    /// The part.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end();
        self.group.end(&mut self.groups);
        part::new(&self.keys, &self.groups)
    }

    fn begin(&mut self, kind: Kind, key: &[u8]) -> Result<()> {
        self.end();
        self.remember(kind, key)?;
        self.write.kind = Some(kind);
        self.write.key.extend_from_slice(key);
        Ok(())
    }
    fn remember(&mut self, kind: Kind, key: &[u8]) -> Result<()> {
        if kind == Kind::Text && !self.mixed {
            return Ok(());
        }
        match self.keys.get(key) {
            Some(before) if *before != kind => Err(part::two_kinds(key, *before, kind)),
            Some(_) => Ok(()),
            None => {
                self.keys.insert(key.to_vec(), kind);
                Ok(())
            }
        }
    }
    fn arg(&mut self, arg: &(impl RedisArg + ?Sized)) {
        resp::bulk_of(&mut self.write.args, arg, &mut self.scratch);
        self.write.args_count += 1;
    }
    /// Moves the command into the group, and the group to the others when it is large enough.
    fn end(&mut self) {
        let Open { kind, key, args, args_count } = &mut self.write;
        if let Some(kind) = kind.take() {
            self.group.add(kind.command(), key, (args, *args_count), &mut self.scratch);
            key.clear();
            args.clear();
            *args_count = 0;
        }
        if self.group.writes() >= GROUP_WRITES_MAX || self.group.bytes() >= GROUP_BYTES_MAX {
            self.group.end(&mut self.groups);
        }
    }
    fn check_size(&self) -> Result<()> {
        let bytes = self.groups.len() + self.group.bytes() + self.write.args.len();
        if bytes > self.bytes_max { Err(part::too_large("a partition", bytes, self.bytes_max)) } else { Ok(()) }
    }
}
