//! MariaDB in MySQL's place, by a server of the test's own.

use crate::numbers;
use crate::place::{self, Place, Process, error, says};
use crate::server::{self, Server};
use crate::suite::{self, refuses};
use headwater::ErrorKind;
use headwater_sql::SqlDatabase;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Mysql {
    server: Arc<Server>,
    number: usize,
}
impl Mysql {
    fn new(server: &Arc<Server>) -> Mysql {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Mysql { server: server.clone(), number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}
impl Place for Mysql {
    const BIG_INTEGER: &'static str = "SIGNED";
    const HEX: &'static str = "HEX(raw)";
    fn database(&self) -> SqlDatabase {
        SqlDatabase::mysql(self.server.url())
    }
    fn rows(&self, sql: &str) -> Vec<(String, i64)> {
        place::mysql::rows(&self.server.url(), sql)
    }
    fn run(&self, sql: &str) {
        place::mysql::run(&self.server.url(), sql);
    }
    fn table(&self, name: &str) -> String {
        format!("{name} {}", self.number)
    }
    fn quoted(name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }
}

#[test]
#[ignore = "starts a server"]
fn mysql_keeps_the_rules_of_sinks() {
    let server = Arc::new(Server::start("mysql", false));
    suite::run(move || Mysql::new(&server));
}

#[test]
#[ignore = "starts a server"]
fn values_that_mysql_refuses_are_named() {
    let server = Arc::new(Server::start("mysql", false));
    for upsert in [false, true] {
        let place = Mysql::new(&server);
        let name = Mysql::quoted(&place.table("counts"));
        place.run(&format!(
            "CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(5) UNIQUE, \
             count INT UNSIGNED NOT NULL CHECK (count < 1000))"
        ));
        let sink = if upsert { place.upsert() } else { place.append() };
        let process: Process<(String, Option<i32>)> = Process::begin(sink, None).unwrap();
        let row = |word: &str, count: i32| (word.to_owned(), Some(count));
        process.write(1, vec![row("a", 1), row("b", 2)]).unwrap();
        let many = |wrong| (0..700).map(|n| row(&format!("w{n}"), n)).chain([wrong, row("end", 1)]).collect::<Vec<_>>();
        let too_long = &["column \"word\"", "(\"longer\", 3) is refused: Data too long"];
        refuses(&place, &process, 2, many(row("longer", 3)), too_long);
        let null = many(("x".to_owned(), None));
        refuses(
            &place,
            &process,
            2,
            null,
            &["column \"count\"", "(\"x\", NULL) is refused: Column 'count' cannot be null"],
        );
        let negative = &["column \"count\"", "(\"x\", -1) is refused: Out of range value"];
        refuses(&place, &process, 2, many(row("x", -1)), negative);
        refuses(
            &place,
            &process,
            2,
            many(row("x", 1000)),
            &["column \"count\"", "(\"x\", 1000) is refused: CONSTRAINT"],
        );
        process.write(2, many(row("x", 999))).unwrap();
        assert_eq!(place.counts().len(), 704);
    }
}

#[test]
#[ignore = "starts a server"]
fn tables_of_mysql_that_cannot_be_written_exactly_once_are_refused() {
    let server = Arc::new(Server::start("mysql", false));
    let place = Mysql::new(&server);
    let name = Mysql::quoted(&place.table("counts"));
    let start = || error(Process::<(String, i64)>::begin(place.upsert(), None));
    place.run(&format!("CREATE TABLE {name} (word VARCHAR(9) PRIMARY KEY, count BIGINT) ENGINE = MyISAM"));
    let (kind, message) = start();
    assert_eq!(kind, ErrorKind::Program);
    says(&message, &["its engine MyISAM has no transactions"]);
    // A count that is there already would replace the row of another word.
    place.run(&format!("ALTER TABLE {name} ENGINE = InnoDB, ADD UNIQUE (count)"));
    says(&start().1, &["would replace those of the unique index over [\"count\"]"]);
    place.run(&format!("ALTER TABLE {name} DROP INDEX count"));
    Process::<(String, i64)>::begin(place.upsert(), None).unwrap();
    let nowhere = server.url().replace("/test", "");
    let sink = SqlDatabase::mysql(nowhere).append_to("counts").columns(["word", "count"]);
    says(&error(Process::<(String, i64)>::begin(sink, None)).1, &["names no database"]);
}

#[test]
#[ignore = "starts a server"]
fn mysql_is_killed_while_it_commits_and_no_number_is_lost_or_doubled() {
    let server = Arc::new(Server::start("mysql", false));
    numbers::outlive_the_server(&Mysql::new(&server), || server.kill());
    server::a_commit_has_a_time_out(&Mysql::new(&server), |statement, held| {
        place::mysql::while_open(&server.url(), statement, held);
    });
    server::comes_and_goes(&server, &Mysql::new(&server));
}

#[test]
#[ignore = "starts a server"]
fn mysql_with_tls_and_a_password() {
    let server = Arc::new(Server::start("mysql", true));
    server::is_safe(&server, &Mysql::new(&server), SqlDatabase::mysql);
}

/// What MySQL does with numbers it counts and with blanks is its own.
#[test]
#[ignore = "starts a server"]
fn keys_of_mysql_are_what_the_records_say() {
    let server = Arc::new(Server::start("mysql", false));
    let place = Mysql::new(&server);
    let process: Process<(String, i64)> = Process::begin(place.upsert().create_table(), None).unwrap();
    let words = ["a", "A", "a ", "\u{e1}", "", "b"];
    process.write(1, words.iter().zip(1..).map(|(word, n)| ((*word).to_owned(), n)).collect()).unwrap();
    let name = Mysql::quoted(&place.table("counts"));
    assert_eq!(place.rows(&format!("SELECT 'all', COUNT(*) FROM {name}")), place::rows(&[("all", 6)]));

    // Zero is a key like others, and not the next number.
    let place = Mysql::new(&server);
    let name = Mysql::quoted(&place.table("counts"));
    place.run(&format!("CREATE TABLE {name} (count BIGINT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(9))"));
    let table = place.table("counts");
    let sink = place.database().upsert_into(&table, ["count"]).columns(["count", "word"]);
    let process: Process<(i64, String)> = Process::begin(sink, None).unwrap();
    for batch in 1..=3 {
        process.write(batch, (0..3).map(|n| (n, format!("of {batch}"))).collect()).unwrap();
    }
    let sql = format!("SELECT word, count FROM {name} ORDER BY count");
    assert_eq!(place.rows(&sql), place::rows(&[("of 3", 0), ("of 3", 1), ("of 3", 2)]));

    // A unique index over a counter that the records write decides as any other.
    let place = Mysql::new(&server);
    let name = Mysql::quoted(&place.table("counts"));
    place.run(&format!("CREATE TABLE {name} (count BIGINT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(9) UNIQUE)"));
    let (kind, told) = error(Process::<(String, i64)>::begin(place.upsert(), None));
    assert_eq!(kind, ErrorKind::Program);
    says(&told, &["would replace those of the unique index over [\"count\"]"]);
}
