//! `socket_stream`: typed records from a TCP connection, read by a converter of the program's.

use super::receiver_thread::StopSignal;
use super::socket_receiver::{Address, Intake, SocketSource};
use crate::conf::keys;
use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::env::Connection;
use headwater_core::input::Unprocessed;
use headwater_core::rdd::record_blocks;
use headwater_core::receiver::RecordReceiverStore;
use headwater_core::time::Time;
use headwater_core::{Closure, Data, Error, ErrorKind, Result, panic_message};
use std::error::Error as StdError;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl StreamingContext {
    /// Records from a server at `host:port`, to which this connects. `converter` is called for each connection and
    /// makes an iterator of records out of its bytes; the iterator is asked for the next record as soon as one is
    /// stored, on the receiver's thread, and may block for bytes. It must not block for anything else: a stop closes
    /// the connection and waits for it.
    ///
    /// An iterator that ends, gives an error or panics, and a converter that panics, end the connection, with a
    /// warning; it is made again as in [`StreamingContext::socket_text_stream`], and so with a new iterator. Records
    /// that came before stay. At [`Conf::buffered_records_max`](crate::Conf::buffered_records_max) the iterator is not
    /// asked for more until a batch is done. A partition is one or more blocks of up to 65,536 records. An empty host
    /// or port 0 fails the start. After a crash, records that were received and not processed are lost. Source:
    /// Spark's `socketStream`, whose iterator throws where this one gives an error.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use std::io::{self, Read, Write};
    /// /// Big-endian numbers, one behind another.
    /// fn numbers(mut bytes: impl Read) -> impl Iterator<Item = io::Result<u32>> {
    ///     std::iter::from_fn(move || {
    ///         let mut number = [0; 4];
    ///         match bytes.read_exact(&mut number) {
    ///             Ok(()) => Some(Ok(u32::from_be_bytes(number))),
    ///             Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
    ///             Err(error) => Some(Err(error)),
    ///         }
    ///     })
    /// }
    /// let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// let (ssc, clock) = testkit::streaming_context();
    /// let numbers = ssc.socket_stream("127.0.0.1", server.local_addr().unwrap().port(), numbers);
    /// let (sent, received) = std::sync::mpsc::channel();
    /// numbers.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// server.accept().unwrap().0.write_all(&[0, 0, 0, 7, 0, 0, 1, 0]).unwrap();
    /// let mut numbers = Vec::new();
    /// while numbers.len() < 2 {
    ///     clock.advance(Duration::from_secs(1));
    ///     numbers.extend(received.recv().unwrap());
    /// }
    /// assert_eq!(numbers, [7, 256]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn socket_stream<T, I, E>(
        &self,
        host: &str,
        port: u16,
        converter: impl Fn(Box<dyn Read + Send>) -> I + Closure,
    ) -> DStream<T>
    where
        T: Data,
        I: IntoIterator<Item = Result<T, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let address = Address::new(self, "socket_stream", host, port);
        let context = self.context().clone();
        let store = RecordReceiverStore::new(self.conf.count(&keys::BUFFERED_RECORDS_MAX), context.env().clock.clone());
        let intake = Arc::new(Converted { store, converter });
        let source = SocketSource::new(self, "socket_stream", address, intake.clone());
        DStream::from_input(&self.graph, "socket_stream", Arc::new(source), move |time| {
            Ok(Some(record_blocks(&context, intake.store.blocks_of_batch(time))))
        })
    }
}

/// The bytes of a connection, to be owned by the converter.
struct ConnectionBytes(Box<dyn Connection>);
impl Read for ConnectionBytes {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.reader().read(bytes)
    }
}

struct Converted<T, C> {
    store: RecordReceiverStore<T>,
    converter: C,
}

impl<T, C, I, E> Intake for Converted<T, C>
where
    T: Data,
    C: Fn(Box<dyn Read + Send>) -> I + Closure,
    I: IntoIterator<Item = Result<T, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn receive(&self, connection: Box<dyn Connection>, address: &Address, signal: &StopSignal) -> (bool, Error) {
        let mut received = false;
        let taken_in = catch_unwind(AssertUnwindSafe(|| self.take_in(connection, signal, &mut received)));
        let ended = match taken_in {
            Ok(Ok(())) => Error::new(ErrorKind::Outside, format!("{address} has no more records")),
            Ok(Err(error)) => Error::new(ErrorKind::Data, format!("the converter for {address} failed")).because(error),
            Err(panic) => {
                let message = panic_message(&*panic);
                Error::new(ErrorKind::Data, format!("the converter for {address} panicked")).because(message)
            }
        };
        (received, ended)
    }
    fn allocate(&self, time: Time) {
        self.store.allocate(time);
    }
    fn records_of_batch(&self, time: Time) -> u64 {
        self.store.blocks_of_batch(time).iter().map(|block| block.len() as u64).sum()
    }
    fn has_unallocated(&self) -> bool {
        self.store.has_unallocated()
    }
    fn unprocessed(&self) -> Unprocessed {
        Unprocessed::new(self.store.unprocessed(), "records")
    }
    fn processed(&self, time: Time) {
        self.store.processed(time);
    }
}

impl<T, C, I, E> Converted<T, C>
where
    C: Fn(Box<dyn Read + Send>) -> I,
    I: IntoIterator<Item = Result<T, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    /// All of this is the user's code: the converter, its iterator, and dropping them.
    fn take_in(
        &self,
        connection: Box<dyn Connection>,
        signal: &StopSignal,
        received: &mut bool,
    ) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let mut records = (self.converter)(Box::new(ConnectionBytes(connection))).into_iter();
        let mut has_room = false;
        loop {
            if !has_room {
                self.store.wait_for_room(&|| signal.is_stopped());
            }
            let Some(record) = records.next() else { return Ok(()) };
            let record = record.map_err(Into::into)?;
            // A record that our own stop has cut off is none.
            if signal.is_stopped() {
                return Ok(());
            }
            has_room = self.store.store(record);
            *received = true;
        }
    }
}
