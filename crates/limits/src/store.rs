//! [`Store`]: what `sink` writes to, and what it takes to get there.

/// Files, or a database.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Store {
    #[default]
    Files,
    Sqlite,
    Postgres,
    Mysql,
}

impl Store {
    const ALL: [Store; 4] = [Store::Files, Store::Sqlite, Store::Postgres, Store::Mysql];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Store::Files => "files",
            Store::Sqlite => "sqlite",
            Store::Postgres => "postgres",
            Store::Mysql => "mysql",
        }
    }

    /// What stands behind `--to`. The drivers of databases are heavy, and in no build that does not ask for them.
    pub(crate) fn parse(word: Option<&str>) -> Result<Store, String> {
        let word = word.ok_or("--to needs a store, as in --to sqlite")?;
        let store = Store::ALL
            .into_iter()
            .find(|store| store.as_str() == word)
            .ok_or_else(|| format!("--to takes one of {}, not `{word}`", Store::ALL.map(Store::as_str).join(", ")))?;
        if store == Store::Files || cfg!(feature = "sql") {
            return Ok(store);
        }
        Err(format!(
            "this build has no drivers of databases; use: cargo run --release -p limits --features sql -- sink --to {word}"
        ))
    }

    /// Whether the address of a server is given where there is one.
    pub(crate) fn check_url(self, url: Option<&str>) -> Result<(), String> {
        let name = self.as_str();
        match (self, url) {
            (Store::Files | Store::Sqlite, None) | (Store::Postgres | Store::Mysql, Some(_)) => Ok(()),
            (Store::Files | Store::Sqlite, Some(_)) => {
                Err(format!("--url is for --to postgres and --to mysql; {name} has no server"))
            }
            (Store::Postgres | Store::Mysql, None) => Err(format!(
                "--to {name} needs a server, as in --url {name}://user@localhost/database; scripts/servers/{name}/start DIR \
                 starts one and writes its address to DIR/url"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_needs_a_build_with_drivers() {
        assert_eq!(Store::parse(Some("files")), Ok(Store::Files));
        let command = "cargo run --release -p limits --features sql -- sink --to sqlite";
        match Store::parse(Some("sqlite")) {
            Ok(store) => assert!(cfg!(feature = "sql") && store == Store::Sqlite),
            Err(message) => assert!(!cfg!(feature = "sql") && message.ends_with(command), "{message}"),
        }
    }

    #[test]
    fn a_server_needs_an_address() {
        let message = Store::Postgres.check_url(None).unwrap_err();
        assert!(message.starts_with("--to postgres needs a server, as in --url postgres://"), "{message}");
        let message = "--url is for --to postgres and --to mysql; sqlite has no server";
        assert_eq!(Store::Sqlite.check_url(Some("sqlite://counts.db")).unwrap_err(), message);
        assert_eq!(Store::Mysql.check_url(Some("mysql://root@localhost/test")), Ok(()));
    }
}
