//! [`Conf`]: the settings of an application, checked when its context is made. What settings there are stands in
//! `conf/keys.rs`.

mod entries;
mod file;
mod key;
pub(crate) mod keys;
mod load;
mod nearest;
mod parts;
mod quantity;
#[cfg(test)]
mod reference;
mod setters;
mod source;
mod spark;
#[cfg(test)]
mod tests;

pub use entries::ConfEntry;
pub use source::ConfSource;

use headwater_core::{Error, Result};
use key::Key;
use std::collections::BTreeMap;
use std::time::Duration;

/// The settings of an application. Each method sets one and returns the whole.
///
/// ```
/// use headwater_runtime::Conf;
/// let conf = Conf::new().master("local[2]").app_name("NetworkWordCount");
/// ```
///
/// Every setting has a key, whose last part is the method's name; `docs/configuration.md` lists them. By its key a
/// setting can come from a file or from environment variables ([`Conf::load`]): code is stronger than the environment,
/// the environment than a file, and a file than the default, in whichever order they are read.
#[derive(Clone)]
pub struct Conf {
    /// What is set, by the key's name. Each value fits its key.
    settings: BTreeMap<&'static str, Setting>,
    /// The first thing in code that cannot be set; the making of a context fails with it.
    refused: Option<String>,
}

#[derive(Clone)]
struct Setting {
    value: String,
    source: ConfSource,
}

impl Default for Conf {
    fn default() -> Self {
        Conf::new()
    }
}

impl Conf {
    /// The defaults, and nothing from disk or environment: master `local[*]`, application name `headwater`.
    pub fn new() -> Conf {
        Conf { settings: BTreeMap::new(), refused: None }
    }
    /// Sets the setting called `key`, by its own name or by Spark's where there is one. Durations and sizes are written
    /// as in Spark: `200ms`, `10min`, `256m`; a plain number means milliseconds or bytes. The first unknown key or
    /// wrong value is what [`StreamingContext::new`](crate::StreamingContext::new) fails with. Source: Spark's
    /// `SparkConf.set`, which takes any key.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let conf = Conf::new().set("headwater.streaming.line_bytes_max", "64k").set("spark.streaming.concurrentJobs", 2);
    /// assert_eq!(conf.get("headwater.streaming.concurrent_jobs")?, "2");
    ///
    /// let conf = conf.set("headwater.streaming.concurent_jobs", 3);
    /// let error = StreamingContext::new(conf, seconds(1)).err().unwrap().to_string();
    /// assert!(error.contains("did you mean headwater.streaming.concurrent_jobs?"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn set(mut self, key: &str, value: impl ToString) -> Conf {
        if let Err(error) = self.put(key, value.to_string(), ConfSource::code()) {
            self.refused.get_or_insert(error.to_string());
        }
        self
    }
    /// The value of the setting called `key`, by its own name or by Spark's, as text; its default where nothing sets
    /// it. An unknown key is an error. The value of a secret is given too: this is for the program, and
    /// [`Conf::entries`] for people.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().set("headwater.master", "local[2]");
    /// assert_eq!(conf.get("spark.master")?, "local[2]");
    /// assert_eq!(conf.get("headwater.streaming.buffered_bytes_max")?, "256m");
    /// let error = conf.get("spark.streaming.blockInterval").unwrap_err().to_string();
    /// assert!(error.contains("has no counterpart: a receiver cuts its blocks by size"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn get(&self, key: &str) -> Result<String> {
        keys::find(key).map(|key| self.text(key).to_owned())
    }
    /// The name given by [`Conf::app_name`].
    pub fn name(&self) -> &str {
        self.text(&keys::APP_NAME)
    }

    #[track_caller]
    fn in_code(self, key: &Key, value: String) -> Conf {
        self.set(key.name, value)
    }

    /// Sets what is called `name`, unless a stronger source has set it. The error names the source.
    fn put(&mut self, name: &str, value: String, source: ConfSource) -> Result<()> {
        let key = keys::find(name).map_err(|error| error.within(&source))?;
        key.kind.check(&value).map_err(|complaint| {
            let value = if key.secret { key.shown(&value) } else { format!("{value:?}") };
            Error::program(format!("{source}: {name} {value} {complaint}"))
        })?;
        let stands = self.settings.get(key.name).map_or(0, |setting| setting.source.strength());
        if source.strength() >= stands {
            self.settings.insert(key.name, Setting { value, source });
        }
        Ok(())
    }

    fn text(&self, key: &Key) -> &str {
        self.settings.get(key.name).map_or(key.default, |setting| &setting.value)
    }
    /// The value of a number or size; `None` where it is a word.
    pub(crate) fn number(&self, key: &Key) -> Option<u64> {
        quantity::parse_size(self.text(key))
    }
    /// The value of a number or size that is never a word.
    pub(crate) fn count(&self, key: &Key) -> usize {
        self.number(key).expect("values are checked when they are set") as usize
    }
    pub(crate) fn duration(&self, key: &Key) -> Duration {
        quantity::parse_duration(self.text(key)).expect("values are checked when they are set")
    }
    /// The checkpoint folder, if there is one.
    pub(crate) fn checkpoint(&self) -> Option<&str> {
        Some(self.text(&keys::CHECKPOINT_DIR).trim_end_matches('/')).filter(|folder| !folder.is_empty())
    }
    /// `None` where it is a word.
    pub(crate) fn duration_or_none(&self, key: &Key) -> Option<Duration> {
        quantity::parse_duration(self.text(key))
    }
    pub(crate) fn flag(&self, key: &Key) -> bool {
        key::parse_flag(self.text(key)).expect("values are checked when they are set")
    }

    /// Returns what was refused in code; the number of task threads.
    pub(crate) fn validate(&self) -> Result<usize> {
        match &self.refused {
            Some(message) => Err(Error::program(message.as_str())),
            None => Ok(key::task_threads(self.text(&keys::MASTER)).expect("values are checked when they are set")),
        }
    }
}
