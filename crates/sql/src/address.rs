//! [`Address`]: where a database is. It may hold a password, so it is shown without one, and an address in which a password
//! could be taken for something else is refused before anything shows or logs it.

#[cfg(any(feature = "postgres", feature = "mysql"))]
use headwater_core::{Error, Result};
use std::fmt;

/// What answers there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Brand {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "mysql")]
    Mysql,
}

/// A path, or a URL that may have a password in it.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) brand: Brand,
    secret: String,
}

impl Address {
    pub(crate) fn new(brand: Brand, secret: String) -> Address {
        Address { brand, secret }
    }
    /// The path of a file, for its driver.
    #[cfg(feature = "sqlite")]
    pub(crate) fn path(&self) -> &str {
        &self.secret
    }
    /// The options of a driver by the address as a URL, whose parameters are those that it knows.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn options<O>(&self, schemes: &[&str], parameters: &[&str]) -> Result<O>
    where
        O: std::str::FromStr<Err = sqlx::Error>,
    {
        self.check_url(schemes, parameters)?;
        let wrong = |error| Error::program(format!("the address of the database {self}")).because(error);
        self.secret.parse().map_err(wrong)
    }
    /// Whether nothing in the URL can be mistaken.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn check_url(&self, schemes: &[&str], parameters: &[&str]) -> Result<()> {
        let wrong = |what: String| Err(Error::program(format!("the address of the database: {what}")));
        let Some(parts) = Parts::of(&self.secret).filter(|parts| schemes.contains(&parts.scheme)) else {
            return wrong(format!("write {}://user:password@host:port/database", schemes[0]));
        };
        let keys =
            || parts.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or(""));
        if parts.path.contains('@') || parts.has_fragment || keys().any(|key| key.contains(['@', '/', ':'])) {
            return wrong("special characters of a user, a password or a database are written as %40 for @, %2F for /, %3F for ?, %23 for #".to_owned());
        }
        // The driver would log what it does not know, with its value.
        match keys().find(|key| !parameters.contains(key) && !key.starts_with("options[")) {
            Some(key) => wrong(format!("the parameter {key:?} is unknown; there are {}", parameters.join(", "))),
            None => Ok(()),
        }
    }
}

/// Without the password: `user@host:port/database`, or the path of a file.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Some(parts) = Parts::of(&self.secret) else { return f.write_str(&self.secret) };
        if parts.path.contains('@') || parts.has_fragment {
            return write!(f, "{}://...", parts.scheme);
        }
        let (user, host) = parts.authority.rsplit_once('@').map_or(("", parts.authority), |(user, host)| (user, host));
        let user = user.split(':').next().filter(|user| !user.is_empty());
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        write!(f, "{}://{user}{host}{}", parts.scheme, parts.path)
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URL cut where its standard says, which need not be where its author meant.
struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "only servers have parameters")
    )]
    query: &'a str,
    has_fragment: bool,
}
impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Parts<'a>> {
        let (scheme, rest) = url.split_once("://")?;
        let (rest, has_fragment) = rest.split_once('#').map_or((rest, false), |(rest, _)| (rest, true));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some(Parts { scheme, authority, path, query, has_fragment })
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::new(Brand::Postgres, url.to_owned())
    }
    fn checked(url: &str) -> Result<(), String> {
        address(url).check_url(&["postgres", "postgresql"], &["sslmode"]).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://ann:secret@db:5432/shop?sslmode=require", "postgres://ann@db:5432/shop"),
            ("postgres://ann:sec@ret@db/shop", "postgres://ann@db/shop"),
            ("postgres://db/shop", "postgres://db/shop"),
            ("postgres://:secret@db", "postgres://db"),
            ("postgres://ann:sec#ret@db/shop", "postgres://..."),
            ("postgres://ann:12/secret@db/shop", "postgres://..."),
            ("/var/lib/counts.db", "/var/lib/counts.db"),
        ] {
            assert_eq!(format!("{:?}", address(url)), shown);
        }
    }

    #[test]
    fn an_address_in_which_a_password_could_be_mistaken_is_refused_without_a_word_of_it() {
        assert_eq!(checked("postgres://ann:s%2Fecret@db:5432/shop?sslmode=require"), Ok(()));
        for url in [
            "postgres://ann:1/secret@db/shop",
            "postgres://ann:1?secret@db/shop",
            "postgres://ann:1#secret@db/shop",
            "postgres://ann:a@b/secret@db/shop",
            "secret",
            "mysql://ann:secret@db/shop",
        ] {
            let error = checked(url).unwrap_err();
            assert!(!error.contains("secret") && error.contains("address of the database"), "{url}: {error}");
        }
        let error = checked("postgres://ann@db/shop?sslmod=require").unwrap_err();
        assert!(error.contains("\"sslmod\" is unknown; there are sslmode"), "{error}");
    }
}
