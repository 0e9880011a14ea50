//! [`Transaction`]: a MULTI of any size in bounded memory. Commands go out in chunks, each of which is answered before the
//! next; what one of them is refused for ends it, and then the server throws away all of it with the connection.

use super::part::GroupView;
use crate::resp;
use redis::{Connection, RedisError, RedisResult, Value};

/// Commands go out when they come to so many bytes.
const CHUNK_BYTES: usize = 1 << 20;

pub(crate) struct Transaction<'a> {
    connection: &'a mut Connection,
    chunk: Vec<u8>,
    commands: usize,
}

impl<'a> Transaction<'a> {
    pub(crate) fn begin(connection: &'a mut Connection) -> Transaction<'a> {
        let mut chunk = Vec::new();
        resp::command(&mut chunk, &[b"MULTI"]);
        Transaction { connection, chunk, commands: 1 }
    }
    /// A call of a script.
    pub(crate) fn call(&mut self, script: &str, keys: &[&[u8]], args: &[&[u8]]) -> RedisResult<()> {
        self.begin_call(script, keys.len(), args.len());
        keys.iter().chain(args).for_each(|string| resp::bulk(&mut self.chunk, string));
        self.end_call()
    }
    /// A call of a script with the mark, and with the keys and arguments of a group.
    pub(crate) fn call_with_group(&mut self, script: &str, mark: &[u8], group: &GroupView<'_>) -> RedisResult<()> {
        self.begin_call(script, 1 + group.keys_count, group.args_count);
        resp::bulk(&mut self.chunk, mark);
        self.chunk.extend_from_slice(group.keys);
        self.chunk.extend_from_slice(group.args);
        self.end_call()
    }
    /// Executes it: the answers of all calls, which may be errors.
    pub(crate) fn exec(mut self) -> RedisResult<Vec<Value>> {
        self.flush()?;
        resp::command(&mut self.chunk, &[b"EXEC"]);
        self.connection.send_packed_command(&self.chunk)?;
        match self.connection.recv_response()? {
            Value::Array(answers) => Ok(answers),
            Value::ServerError(error) => Err(error.into()),
            _ => Err(RedisError::from((redis::ErrorKind::UnexpectedReturnType, "EXEC was not answered by a list"))),
        }
    }

    fn begin_call(&mut self, script: &str, keys: usize, args: usize) {
        resp::array(&mut self.chunk, 3 + keys + args);
        resp::bulk(&mut self.chunk, b"EVAL");
        resp::bulk(&mut self.chunk, script.as_bytes());
        resp::bulk(&mut self.chunk, keys.to_string().as_bytes());
    }
    fn end_call(&mut self) -> RedisResult<()> {
        self.commands += 1;
        if self.chunk.len() < CHUNK_BYTES { Ok(()) } else { self.flush() }
    }
    fn flush(&mut self) -> RedisResult<()> {
        self.connection.send_packed_command(&self.chunk)?;
        for _ in 0..self.commands {
            self.connection.recv_response()?.extract_error()?;
        }
        self.chunk.clear();
        self.commands = 0;
        Ok(())
    }
}
