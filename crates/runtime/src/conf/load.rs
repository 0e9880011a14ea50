//! Where settings come from besides code: a file, and environment variables.

use super::{Conf, ConfSource, file, keys, nearest};
use crate::env::{system_env, variables};
use headwater_core::env::FileSystem;
use headwater_core::{Error, Result};
use std::io::Read;

/// What every variable of ours begins with.
const PREFIX: &str = "HEADWATER_";
/// The variable that names the settings file.
const FILE_VARIABLE: &str = "HEADWATER_CONF";
/// The file in the working directory that is read where no variable names one.
const FILE: &str = "headwater.toml";
/// Bytes of a settings file; a larger one is refused.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Conf {
    /// The settings of this process: those of the file that the environment variable `HEADWATER_CONF` names, or else of
    /// `headwater.toml` in the working directory if it is there, and those of environment variables, which are
    /// stronger. What code sets afterwards is stronger still. [`Conf::with_file`] and [`Conf::with_environment`] say
    /// what a file and a variable look like, and what is an error.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::load()?.app_name("NetworkWordCount");
    /// assert_eq!(conf.get("headwater.app_name")?, "NetworkWordCount");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn load() -> Result<Conf> {
        let (files, variables) = (system_env().files, variables(PREFIX)?);
        let conf = match variables.iter().find(|(name, _)| name == FILE_VARIABLE) {
            Some((_, path)) => read(&*files, path)
                .and_then(|text| Conf::new().with_text(path, &text))
                .map_err(|error| error.within(format!("environment variable {FILE_VARIABLE}")))?,
            None if files.exists(FILE)? => Conf::new().with_text(FILE, &read(&*files, FILE)?)?,
            None => Conf::new(),
        };
        conf.with_variables(variables)
    }

    /// The same settings and those of the file at `path`, weaker than environment variables and code; of two files the
    /// later is the stronger. A name that ends with `.toml` means TOML, whose tables are the parts of the keys; one
    /// that ends with `.conf` or `.properties` means the form of Spark's `spark-defaults.conf`, `key value`.
    ///
    /// An error names the file and the line: one that cannot be read, an unknown key, a value that cannot be, a key
    /// that is set twice. A file of more than 1 MiB is refused.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// # let folder = headwater::testkit::temporary_folder();
    /// # let path = &format!("{folder}/app.toml");
    /// std::fs::write(path, "[headwater.streaming]\nconcurrent_jobs = 2\nline_bytes_max = '64k'\n").unwrap();
    /// let conf = Conf::new().with_file(path)?;
    /// assert_eq!(conf.get("headwater.streaming.concurrent_jobs")?, "2");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn with_file(self, path: &str) -> Result<Conf> {
        let text = read(&*system_env().files, path)?;
        self.with_text(path, &text)
    }

    /// The same settings and those of environment variables, weaker than code and stronger than a file. A key's
    /// variable is its name in capitals, with `_` for `.`: `HEADWATER_STREAMING_CONCURRENT_JOBS=2`.
    ///
    /// A variable that begins with `HEADWATER_` and belongs to no key is an error, apart from `HEADWATER_CONF` and from
    /// names with a part `SERVICE` or `PORT`, which Kubernetes sets for a service called headwater.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().with_environment()?;
    /// assert!(conf.entries().iter().all(|entry| !entry.source.to_string().starts_with("code")));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn with_environment(self) -> Result<Conf> {
        self.with_variables(variables(PREFIX)?)
    }

    /// As [`Conf::load`], from what is given instead of from disk and environment: the name and text of a file, and
    /// the names and values of variables, of which `HEADWATER_CONF` means nothing here. For tests and for settings
    /// that are kept elsewhere.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let file = "[headwater]\nmaster = 'local[8]'\napp_name = 'counts'";
    /// let conf = Conf::from_sources(Some(("app.toml", file)), [("HEADWATER_MASTER", "local[2]")])?;
    /// assert_eq!(conf.get("headwater.master")?, "local[2]");
    /// assert_eq!(conf.name(), "counts");
    ///
    /// let error = Conf::from_sources(None, [("HEADWATER_MASTRE", "local[2]")]).unwrap_err();
    /// assert!(error.to_string().ends_with("did you mean HEADWATER_MASTER?"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn from_sources<N: Into<String>, V: Into<String>>(
        file: Option<(&str, &str)>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Conf> {
        let conf = match file {
            Some((path, text)) => Conf::new().with_text(path, text)?,
            None => Conf::new(),
        };
        conf.with_variables(variables.into_iter().map(|(name, value)| (name.into(), value.into())))
    }

    pub(super) fn with_text(mut self, path: &str, text: &str) -> Result<Conf> {
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for file::Line { key, value, number } in file::lines(path, text)? {
            let source = ConfSource::File { path: path.to_owned(), line: number };
            let name = keys::find(&key).map_err(|error| error.within(&source))?.name;
            if let Some((_, before)) = seen.iter().find(|(seen, _)| *seen == name) {
                return Err(Error::program(format!("{source}: {name} is set in line {before} already")));
            }
            seen.push((name, number));
            self.put(&key, value, source)?;
        }
        Ok(self)
    }

    pub(super) fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Result<Conf> {
        for (variable, value) in variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            match keys::KEYS.iter().find(|key| key.variable() == variable) {
                Some(key) => self.put(key.name, value, ConfSource::Environment { variable })?,
                None if variable == FILE_VARIABLE || is_of_kubernetes(&variable) => {}
                None => return Err(unknown_variable(&variable)),
            }
        }
        Ok(self)
    }
}

/// For a service called headwater, Kubernetes sets `HEADWATER_SERVICE_HOST`, `HEADWATER_PORT_4040_TCP` and more.
fn is_of_kubernetes(variable: &str) -> bool {
    variable.split('_').any(|part| part == "SERVICE" || part == "PORT")
}

fn unknown_variable(variable: &str) -> Error {
    let known: Vec<String> = keys::KEYS.iter().map(|key| key.variable()).collect();
    let method = variable[PREFIX.len()..].to_ascii_lowercase();
    let meant = keys::KEYS.iter().position(|key| key.method() == method);
    let hint = match meant.or_else(|| nearest::nearest(variable, &known)) {
        Some(at) => format!("did you mean {}?", known[at]),
        None => format!("those that begin with {PREFIX} are settings, and docs/configuration.md lists them"),
    };
    Error::program(format!("unknown environment variable {variable}; {hint}"))
}

fn read(files: &dyn FileSystem, path: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let limited = files.open(path, 0)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    limited.map_err(|error| Error::outside(format!("cannot read {path}"), error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::program(format!("settings file {path} has more than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Error::program(format!("settings file {path} is not UTF-8 text")))
}
