//! [`SqlDatabase`]: where a database is and how it is talked to; sinks come from it and share its connections.

use crate::address::{Address, Brand};
use crate::server::{Connected, Server};
use crate::settings::Settings;
use crate::sink::SqlSink;
use headwater_core::Result;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A database: where it is, and the limits of its connections. Nothing is opened before the program starts. Sinks that come
/// from clones of one value share its connections and its thread.
///
/// A wrong address, and one that could leak its password, fails the start. What is shown of an address, here and in all
/// errors, is `user@host:port/database`.
///
/// ```
/// use headwater_sql::SqlDatabase;
/// use std::time::Duration;
/// let database = SqlDatabase::sqlite("run/counts.db").connections(4).connect_timeout(Duration::from_secs(5));
/// let _counts = database.upsert_into("word_counts", ["word"]).columns(["word", "count"]).create_table();
/// let _all = database.append_to("all words").columns(["word"]);
/// assert_eq!(format!("{database:?}"), "run/counts.db");
/// ```
#[derive(Clone)]
pub struct SqlDatabase {
    address: Address,
    settings: Settings,
    /// Opened by the first sink that needs it.
    server: Arc<Mutex<Option<Arc<dyn Server>>>>,
}

impl SqlDatabase {
    fn new(brand: Brand, secret: String) -> SqlDatabase {
        SqlDatabase { address: Address::new(brand, secret), settings: Settings::default(), server: Arc::default() }
    }
    /// A SQLite file, which is made if it is missing; its folder must be there. It is kept in WAL mode, so that other programs
    /// read it while it is written, and each commit is on the disk.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(path: impl AsRef<str>) -> SqlDatabase {
        SqlDatabase::new(Brand::Sqlite, path.as_ref().to_owned())
    }
    /// A PostgreSQL server by `postgres://user:password@host:port/database`. With `?sslmode=verify-full` (and
    /// `&sslrootcert=ca.pem` where the system does not know the authority) all is encrypted and the server is who it says;
    /// without, TLS is used where the server has it, and nobody checks who it is.
    #[cfg(feature = "postgres")]
    pub fn postgres(url: impl AsRef<str>) -> SqlDatabase {
        SqlDatabase::new(Brand::Postgres, url.as_ref().to_owned())
    }
    /// A MySQL or MariaDB server by `mysql://user:password@host:port/database`. With `?ssl-mode=VERIFY_IDENTITY` (and
    /// `&ssl-ca=ca.pem` where the system does not know the authority) all is encrypted and the server is who it says;
    /// without, TLS is used where the server has it, and nobody checks who it is. Passwords of `caching_sha2_password`, the
    /// default of MySQL 8, need TLS.
    #[cfg(feature = "mysql")]
    pub fn mysql(url: impl AsRef<str>) -> SqlDatabase {
        SqlDatabase::new(Brand::Mysql, url.as_ref().to_owned())
    }

    fn set(self, set: impl FnOnce(&mut Settings)) -> SqlDatabase {
        let mut settings = self.settings;
        set(&mut settings);
        SqlDatabase { settings, server: Arc::default(), ..self }
    }
    /// Connections at the same time, at most: 2 unless told otherwise. A sink uses one while it commits.
    pub fn connections(self, max: u32) -> SqlDatabase {
        self.set(|settings| settings.connections_max = max)
    }
    /// How long to wait for a connection before that is an error: 10 s unless told otherwise. With SQLite this is also how
    /// long another program may keep the file locked.
    pub fn connect_timeout(self, timeout: Duration) -> SqlDatabase {
        self.set(|settings| settings.connect_timeout = timeout)
    }
    /// How long a commit may take before that is an error: 60 s unless told otherwise.
    pub fn commit_timeout(self, timeout: Duration) -> SqlDatabase {
        self.set(|settings| settings.commit_timeout = timeout)
    }
    /// The name of the ledger, `headwater_ledger` unless told otherwise: a table with a row for each output, made where it is
    /// missing. To change the name of a ledger that is in use, rename the table too.
    pub fn ledger(self, table: impl Into<String>) -> SqlDatabase {
        self.set(|settings| settings.ledger = table.into())
    }
    /// How many pages a SQLite file may have, usually of 4 KiB; a batch for which there is no room fails and leaves nothing.
    /// Unless told otherwise the disk is the limit.
    #[cfg(feature = "sqlite")]
    pub fn sqlite_pages_max(self, pages: u32) -> SqlDatabase {
        self.set(|settings| settings.sqlite_pages_max = Some(pages))
    }

    /// A sink that appends each record as a row.
    pub fn append_to(&self, table: impl Into<String>) -> SqlSink {
        SqlSink::new(self.clone(), table.into(), None)
    }
    /// A sink that adds each record as a row, or replaces the row that has the same key. `keys` are columns with a primary key
    /// or unique index of just them.
    pub fn upsert_into<K: Into<String>>(&self, table: impl Into<String>, keys: impl IntoIterator<Item = K>) -> SqlSink {
        SqlSink::new(self.clone(), table.into(), Some(keys.into_iter().map(Into::into).collect()))
    }

    pub(crate) fn brand(&self) -> Brand {
        self.address.brand
    }
    /// The connections, which the first call opens.
    pub(crate) fn server(&self) -> Result<Arc<dyn Server>> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = &*server {
            return Ok(server.clone());
        }
        let (address, settings) = (self.address.clone(), self.settings.clone());
        let opened: Arc<dyn Server> = match address.brand {
            #[cfg(feature = "sqlite")]
            Brand::Sqlite => Arc::new(Connected::<crate::sqlite::Sqlite>::new(address, settings)?),
            #[cfg(feature = "postgres")]
            Brand::Postgres => Arc::new(Connected::<crate::postgres::Postgres>::new(address, settings)?),
            #[cfg(feature = "mysql")]
            Brand::Mysql => Arc::new(Connected::<crate::mysql::Mysql>::new(address, settings)?),
        };
        Ok(server.insert(opened).clone())
    }
}

/// Where it is, without the password.
impl fmt::Debug for SqlDatabase {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(&self.address, f)
    }
}
