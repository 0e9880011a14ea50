//! Environment variables, which hold settings.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::{Error, Result};

/// The variables whose names begin with `prefix`, sorted by name, so that of several errors it is always the same one
/// that is found first. A value that is not UTF-8 is an error.
pub(crate) fn variables(prefix: &str) -> Result<Vec<(String, String)>> {
    let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = named.filter(|(name, _)| name.starts_with(prefix)).map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(Error::program(format!("the value of environment variable {name} is not UTF-8 text"))),
    });
    let mut found = ours.collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}
