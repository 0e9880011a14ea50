//! [`check_local`]: whether what a user names is a path of this machine. Looks at the name alone, and never at the disk.

use headwater_core::{Error, Result};

/// An error where the path of a sink has the scheme of a store that it does not write to, as Spark's paths may: it would
/// become a folder of that name here.
pub(crate) fn check_local(sink: &str, path: &str) -> Result<()> {
    let Some((scheme, rest)) = scheme_of(path) else { return Ok(()) };
    let help = match rest.trim_start_matches('/') {
        local if scheme.eq_ignore_ascii_case("file") => format!("write \"/{local}\""),
        _ => "write the path of a local folder, or of one where that store is mounted".to_owned(),
    };
    Err(Error::program(format!(
        "{sink} {path:?}: the scheme {scheme:?} is not supported by this sink, whose files are local: {help}"
    )))
}

/// The scheme, and what is behind its colon. `a:b` has none: it is the name of a file.
fn scheme_of(path: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = path.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
    // Hadoop writes a local file with one slash, too.
    let has_place = rest.starts_with("//") || (scheme.eq_ignore_ascii_case("file") && rest.starts_with('/'));
    (is_scheme && has_place).then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_a_scheme_are_refused_and_names_with_a_colon_are_not() {
        for path in ["out/numbers", "/out", "a:b", "out/a://b", "C:/out", "://x", "1s://x", ""] {
            check_local("a sink", path).unwrap();
        }
        for (path, help) in [
            ("hdfs://nn/x", "the scheme \"hdfs\" is not supported"),
            ("s3a://b/x", "write the path of a local folder"),
            ("file:///x/y", "write \"/x/y\""),
            ("FILE:/x", "write \"/x\""),
        ] {
            let error = check_local("a sink", path).unwrap_err().to_string();
            assert!(error.starts_with(&format!("a sink {path:?}: ")) && error.contains(help), "{error}");
        }
    }
}
