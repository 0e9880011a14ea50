//! What a record must be able to do: [`Record`] anywhere, [`Data`] where it crosses a shuffle or returns to the
//! driver, [`Key`] where records are brought together by it. All three are met by deriving; nobody implements them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::hash::Hash;

/// Any element of an RDD or DStream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a record of a stream",
    label = "this is not `Send + Sync + 'static`",
    note = "records move between threads and outlive the closure that makes them: use owned, thread-safe types \
            (`Arc` for `Rc`, `Text` or `String` for `&str`)"
)]
pub trait Record: Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Record for T {}

/// A record that crosses a shuffle, is collected, or is kept: a copy may be needed, and on a cluster it travels as
/// bytes. The bound is the same on every engine, so that a program which compiles runs on all of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross a shuffle or be collected",
    label = "this type must be cloned and serialised on its way",
    note = "put `#[derive(Clone, Serialize, Deserialize)]` on the type, and let it own what it holds"
)]
pub trait Data: Record + Clone + Serialize + DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: Record + Clone + Serialize + DeserializeOwned> Data for T {}

/// A record that is saved as a line of text, in the way of its `Display`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it becomes a line of text",
    label = "this type is not `Display`",
    note = "map each record to the line you want before, for example by `.map(|record| format!(...))`"
)]
pub trait TextRecord: Record + Display {}
#[diagnostic::do_not_recommend]
impl<T: Record + Display> TextRecord for T {}

/// A key: records with equal keys meet in one partition.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "a key must be hashed and compared, cloned and serialised",
    note = "put `#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]` on the type; \
            floating-point numbers are no keys: use an integer, for example `value.to_bits()`"
)]
pub trait Key: Data + Hash + Eq {}
#[diagnostic::do_not_recommend]
impl<K: Data + Hash + Eq> Key for K {}

/// A closure that a program hands to an operator: tasks on other threads run it, for as long as the stream lives.
#[diagnostic::on_unimplemented(
    message = "this closure cannot run in a task: it captures something that is not `Send + Sync + 'static`",
    label = "tasks on several threads share this closure",
    note = "move owned, thread-safe values into it (`move |record| ...`, `Arc` for `Rc`); a DStream or context belongs \
            to the driver and cannot be used inside a closure: join or transform the streams instead"
)]
pub trait Closure: Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<F: Send + Sync + 'static> Closure for F {}
