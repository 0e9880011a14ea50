//! PostgreSQL, by a server of the test's own.

use crate::numbers;
use crate::place::{self, Place, Process, error, rows, says};
use crate::server::{self, Server};
use crate::suite::{self, refuses};
use headwater::ErrorKind;
use headwater_sql::SqlDatabase;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Postgres {
    server: Arc<Server>,
    number: usize,
}
impl Postgres {
    fn new(server: &Arc<Server>) -> Postgres {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Postgres { server: server.clone(), number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}
impl Place for Postgres {
    const BIG_INTEGER: &'static str = "BIGINT";
    const HEX: &'static str = "encode(raw, 'hex')";
    fn database(&self) -> SqlDatabase {
        SqlDatabase::postgres(self.server.url())
    }
    fn rows(&self, sql: &str) -> Vec<(String, i64)> {
        place::postgres::rows(&self.server.url(), sql)
    }
    fn run(&self, sql: &str) {
        place::postgres::run(&self.server.url(), sql);
    }
    fn table(&self, name: &str) -> String {
        format!("{name} {}", self.number)
    }
    fn quoted(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[test]
#[ignore = "starts a server"]
fn postgres_keeps_the_rules_of_sinks() {
    let server = Arc::new(Server::start("postgres", false));
    suite::run(move || Postgres::new(&server));
}

#[test]
#[ignore = "starts a server"]
fn values_that_postgres_refuses_are_named() {
    let server = Arc::new(Server::start("postgres", false));
    for upsert in [false, true] {
        let place = Postgres::new(&server);
        let name = Postgres::quoted(&place.table("counts"));
        place.run(&format!(
            "CREATE TABLE {name} (id SERIAL, word VARCHAR(5) UNIQUE, count INT NOT NULL CHECK (count < 1000), \
             day DATE DEFAULT now())"
        ));
        let sink = if upsert { place.upsert() } else { place.append() };
        let process: Process<(String, Option<i32>)> = Process::begin(sink, None).unwrap();
        let row = |word: &str, count: i32| (word.to_owned(), Some(count));
        process.write(1, vec![row("a", 1), row("b", 2)]).unwrap();
        let many = |wrong| (0..700).map(|n| row(&format!("w{n}"), n)).chain([wrong, row("end", 1)]).collect::<Vec<_>>();
        let too_long = &["column \"word\"", "(\"longer\", 3) is refused: value too long for type character varying(5)"];
        refuses(&place, &process, 2, many(row("longer", 3)), too_long);
        let null = many(("x".to_owned(), None));
        refuses(&place, &process, 2, null, &["column \"count\"", "(\"x\", NULL) is refused: null value"]);
        refuses(&place, &process, 2, many(row("x", 1000)), &["(\"x\", 1000) is refused: ", "check constraint"]);
        let zero = &["column \"word\"", "(\"x\\0\", 1) is refused: PostgreSQL takes no text with the character U+0000"];
        refuses(&place, &process, 2, many(row("x\0", 1)), zero);
        process.write(2, many(row("x", 999))).unwrap();
        assert_eq!(place.counts().len(), 704);
    }
}

#[test]
#[ignore = "starts a server"]
fn special_types_and_tables_of_postgres() {
    let server = Arc::new(Server::start("postgres", false));
    let place = Postgres::new(&server);
    let sink = |table: &str, columns: [&str; 2]| {
        place.database().ledger(place.ledger()).append_to(place.table(table)).columns(columns)
    };
    // Text that the server reads as something else, and numbers that are none.
    let name = Postgres::quoted(&place.table("special"));
    place.run(&format!("CREATE TABLE {name} (at TIMESTAMPTZ, number DOUBLE PRECISION)"));
    let process: Process<(String, f64)> = Process::begin(sink("special", ["at", "number"]), None).unwrap();
    let at = |number| ("2026-11-28 12:00:00Z".to_owned(), number);
    process.write(1, vec![at(f64::NAN), at(f64::NEG_INFINITY), at(0.1)]).unwrap();
    let found = place.rows(&format!("SELECT string_agg(number::text, ' '), COUNT(*) FROM {name}"));
    assert_eq!(found, rows(&[("NaN -Infinity 0.1", 3)]));
    let (kind, message) = error(process.write(2, vec![("yesterdy".to_owned(), 1.0)]));
    assert_eq!(kind, ErrorKind::Data);
    says(&message, &["column \"at\"", "(\"yesterdy\", 1.0) is refused: invalid input syntax for type timestamp"]);
    // A column that changes its type refuses what it cannot hold, and takes the rest.
    place.run(&format!("ALTER TABLE {name} ALTER COLUMN number TYPE INT USING 1"));
    assert_eq!(error(process.write(2, vec![at(1.5)])).0, ErrorKind::Data);

    let unlogged = Postgres::quoted(&place.table("unlogged"));
    place.run(&format!("CREATE UNLOGGED TABLE {unlogged} (word TEXT, count BIGINT)"));
    says(&error(Process::<(String, i64)>::begin(sink("unlogged", ["word", "count"]), None)).1, &["it is UNLOGGED"]);
    let view = Postgres::quoted(&place.table("view"));
    place.run(&format!("CREATE VIEW {view} AS SELECT 'a' AS word, 1::bigint AS count"));
    says(
        &error(Process::<(String, i64)>::begin(sink("view", ["word", "count"]), None)).1,
        &["it is no table, but a view"],
    );
}

#[test]
#[ignore = "starts a server"]
fn postgres_is_killed_while_it_commits_and_no_number_is_lost_or_doubled() {
    let server = Arc::new(Server::start("postgres", false));
    numbers::outlive_the_server(&Postgres::new(&server), || server.kill());
    server::a_commit_has_a_time_out(&Postgres::new(&server), |statement, held| {
        place::postgres::while_open(&server.url(), statement, held);
    });
    server::comes_and_goes(&server, &Postgres::new(&server));
}

#[test]
#[ignore = "starts a server"]
fn postgres_with_tls_and_a_password() {
    let server = Arc::new(Server::start("postgres", true));
    server::is_safe(&server, &Postgres::new(&server), SqlDatabase::postgres);
}
