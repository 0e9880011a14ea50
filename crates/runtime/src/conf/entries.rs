//! [`ConfEntry`]: all settings with their values and where these come from, for logs and pages.

use super::key::Key;
use super::{Conf, ConfSource, keys};
use std::fmt;

/// A setting as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ConfEntry {
    /// The key's name.
    pub key: &'static str,
    /// The value as text; that of a secret is `[redacted]`.
    pub value: String,
    /// Where the value comes from.
    pub source: ConfSource,
    /// What the setting does, in sentences.
    pub meaning: &'static str,
}

/// Displays as `headwater.master = local[2] (environment variable HEADWATER_MASTER)`.
impl fmt::Display for ConfEntry {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} = {} ({})", self.key, self.value, self.source)
    }
}

impl Conf {
    /// Every setting, set or not, in the order of `docs/configuration.md`. Source: Spark's `SparkConf.getAll`, which
    /// knows only those that are set.
    ///
    /// ```
    /// use headwater_runtime::{Conf, ConfSource};
    /// let conf = Conf::from_sources(None, [("HEADWATER_MASTER", "local[2]"), ("HEADWATER_HASH_SEED", "7")])?;
    /// let entries = conf.entries();
    /// assert_eq!(entries[0].to_string(), "headwater.master = local[2] (environment variable HEADWATER_MASTER)");
    /// assert_eq!((entries[1].key, entries[1].value.as_str()), ("headwater.app_name", "headwater"));
    /// assert_eq!(entries[1].source, ConfSource::Default);
    /// assert!(entries.iter().any(|entry| entry.key == "headwater.hash_seed" && entry.value == "[redacted]"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn entries(&self) -> Vec<ConfEntry> {
        let entry = |key: &&Key| {
            let (value, source) = match self.settings.get(key.name) {
                Some(setting) => (setting.value.as_str(), setting.source.clone()),
                None => (key.default, ConfSource::Default),
            };
            ConfEntry { key: key.name, value: key.shown(value), source, meaning: key.meaning }
        };
        keys::KEYS.iter().map(entry).collect()
    }

    /// The settings that something sets, one a line, without the values of secrets. Source: Spark's
    /// `SparkConf.toDebugString`.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::from_sources(Some(("app.conf", "headwater.master local[2]")), [("HEADWATER_HASH_SEED", "7")])?;
    /// assert_eq!(
    ///     conf.to_debug_string(),
    ///     "headwater.master = local[2] (app.conf:1)\n\
    ///      headwater.hash_seed = [redacted] (environment variable HEADWATER_HASH_SEED)"
    /// );
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn to_debug_string(&self) -> String {
        let set = self.entries().into_iter().filter(|entry| entry.source != ConfSource::Default);
        set.map(|entry| entry.to_string()).collect::<Vec<_>>().join("\n")
    }
}

/// The settings as [`Conf::entries`] gives them: a derived form would show secrets.
impl fmt::Debug for Conf {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let entries = self.entries();
        f.debug_map().entries(entries.iter().map(|entry| (entry.key, &entry.value))).finish()
    }
}
