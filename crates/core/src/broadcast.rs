//! [`Broadcast`]: a value of the driver's that every task reads.

use crate::transport::Role;
use crate::wire::WireError;
use crate::{Data, RddContext, Result, wire};
use std::fmt;
use std::sync::Arc;

/// A read-only value that closures of operators read; clone it into them. In one process it is shared, and on a worker
/// it is the driver's value, fetched once a process, whatever the worker's own program computed. It lives as long as a
/// handle to it. Source: Spark's `Broadcast`.
pub struct Broadcast<T> {
    /// An error where the value did not come through.
    value: Arc<Result<T>>,
}
impl<T> Clone for Broadcast<T> {
    fn clone(&self) -> Self {
        Broadcast { value: self.value.clone() }
    }
}

impl RddContext {
    /// Makes `value` known to all tasks. Make it while the program is built, or inside `transform`; what is made inside
    /// an output's closure is known to that process only.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let blacklist = context.broadcast(vec!["spam".to_string()]);
    /// let words = context.parallelize(["ham", "spam"].map(String::from).to_vec(), 2);
    /// let kept = words.filter(move |word| !blacklist.value().contains(word));
    /// assert_eq!(kept.collect()?, ["ham"]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn broadcast<T: Data>(&self, value: T) -> Broadcast<T> {
        Broadcast { value: Arc::new(self.agreed(value)) }
    }

    /// The driver's `value`, in every process.
    fn agreed<T: Data>(&self, value: T) -> Result<T> {
        let Some(transport) = self.transport() else { return Ok(value) };
        let item = self.next_item();
        if !item.is_shared() {
            return Ok(value);
        }
        match transport.role() {
            Role::Driver => {
                let bytes = wire::encode(&value).map_err(|error| WireError::from(&error));
                transport.put_value(item, wire::encode(&bytes)?);
                Ok(value)
            }
            Role::Worker => {
                let bytes: Result<Vec<u8>, WireError> = wire::decode(&transport.value(item)?)?;
                wire::decode(&bytes?)
            }
        }
    }
}

impl<T> Broadcast<T> {
    /// The value. A task fails here if the value could not be carried to its process.
    pub fn value(&self) -> &T {
        match &*self.value {
            Ok(value) => value,
            Err(error) => panic!("a broadcast value did not arrive: {error}"),
        }
    }
}
impl<T: fmt::Debug> fmt::Debug for Broadcast<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Broadcast").field(self.value()).finish()
    }
}
