//! What every sink must do, whatever the database.

use crate::place::{Place, Process, error, rows, says};
use headwater::ErrorKind;
use headwater::testkit::SinkTest;
use headwater_sql::Row;
use std::sync::atomic::{AtomicBool, Ordering};

/// All of it. `new` makes an empty place.
pub(crate) fn run<P: Place + Sync + 'static>(new: impl Fn() -> P + Clone + 'static) {
    conformance(new.clone());
    rows_are_replaced_by_their_key(&new());
    the_table_is_made_and_must_fit(&new());
    odd_names_are_only_names(&new());
    a_lost_ledger_is_told_and_can_be_accepted(&new());
    a_ledger_that_goes_while_the_program_runs_is_told(&new());
    a_table_that_changes_while_the_program_runs_is_told(&new());
    a_duplicate_is_refused_and_named(&new());
    readers_see_whole_batches(&new());
    two_processes_at_the_same_time_write_each_batch_once(&new());
    all_types_come_back(&new());
}

fn conformance<P: Place + 'static>(new: impl Fn() -> P + Clone + 'static) {
    let record = |number| (format!("word {number}"), number as i64);
    SinkTest::new(new.clone(), P::append, record, |place: &P| Ok(place.counts())).tells_its_newest().run();
    SinkTest::new(new, P::upsert, record, |place: &P| Ok(place.counts())).tells_its_newest().run();
}

fn rows_are_replaced_by_their_key<P: Place>(place: &P) {
    let process = Process::begin(place.upsert(), None).unwrap();
    process.write(1, rows(&[("a", 1), ("b", 1), ("a", 2)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 2), ("b", 1)]));
    process.write(2, rows(&[("b", 7), ("c", 3)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 2), ("b", 7), ("c", 3)]));
    // More rows than a statement has, each key twice.
    let many = |plus: i64| (0..1500).map(move |n| (format!("k{n}"), n + plus));
    process.write(3, many(0).chain(many(10_000)).collect()).unwrap();
    let counts = place.counts();
    assert_eq!(counts.len(), 1503);
    assert_eq!(counts.iter().filter(|(word, count)| word.starts_with('k') && *count >= 10_000).count(), 1500);
    // Rows that are nothing but keys.
    let keys = place.database().ledger(place.ledger()).upsert_into(place.table("words"), ["word"]);
    let words = Process::begin(keys.columns(["word"]).create_table(), None).unwrap();
    let row = |word: &str| (word.to_owned(),);
    words.write(4, vec![row("a"), row("b")]).unwrap();
    words.write(5, vec![row("b"), row("c")]).unwrap();
    let table = P::quoted(&place.table("words"));
    assert_eq!(place.rows(&format!("SELECT MIN(word), COUNT(*) FROM {table}")), rows(&[("a", 3)]));
}

fn the_table_is_made_and_must_fit<P: Place>(place: &P) {
    let table = place.table("counts");
    let name = P::quoted(&table);
    let start = |columns: [&str; 2]| {
        let sink = place.database().ledger(place.ledger()).append_to(&table).columns(columns);
        Process::<(String, i64)>::begin(sink, None)
    };
    let (kind, missing) = error(start(["word", "count"]));
    assert_eq!(kind, ErrorKind::Program);
    says(&missing, &[&format!("table {table:?}: it does not exist"), ".create_table()"]);
    place.run(&format!("CREATE TABLE {name} (word VARCHAR(20), count INT, day DATE NOT NULL)"));
    says(&error(start(["word", "number"])).1, &["no column \"number\"", "[\"word\", \"count\", \"day\"]"]);
    place.run(&format!("ALTER TABLE {name} DROP COLUMN day"));
    place.run(&format!("ALTER TABLE {name} ADD COLUMN flag INT NOT NULL DEFAULT 0"));
    says(
        &error(start(["count", "word"])).1.to_lowercase(),
        &["\"count\" is int", "cannot hold the text of the records"],
    );
    let upsert = place.database().ledger(place.ledger()).upsert_into(&table, ["word"]).columns(["word", "count"]);
    let (kind, no_key) = error(Process::<(String, i16)>::begin(upsert, None));
    assert_eq!(kind, ErrorKind::Program);
    says(&no_key, &["replaced by the key [\"word\"]", "unique index has just these columns"]);
    place.run(&format!("DROP TABLE {name}"));
    place.run(&format!("CREATE TABLE {name} (word VARCHAR(20), count INT, day VARCHAR(9) NOT NULL)"));
    let short = place.database().ledger(place.ledger()).append_to(&table).columns(["word", "count"]);
    says(&error(Process::<(String, i16)>::begin(short, None)).1, &["\"day\" may not be null and has no default"]);
}

fn odd_names_are_only_names<P: Place>(place: &P) {
    let table = place.table("a \"b\" `c`; DROP TABLE x; --'?$1");
    let (word, count) = ("the \"word\" `of` 'it'?", "select $1 from; --");
    let sink = || {
        let database = place.database().ledger(place.table("led\"ger `'?"));
        database.upsert_into(&table, [word]).columns([word, count]).create_table()
    };
    let process = Process::begin(sink(), None).unwrap();
    process.write(1, rows(&[("'; DROP TABLE x; --", 1), ("\\N\t\"`", 2), ("\n\r\\", 3), ("größer 🦀", 4)])).unwrap();
    process.write(2, rows(&[("\\N\t\"`", 5), ("", 6)])).unwrap();
    let [word, count, table] = [word, count, &table].map(P::quoted);
    let mut found = place.rows(&format!("SELECT {word}, {count} FROM {table}"));
    found.sort();
    let wanted = rows(&[("", 6), ("\n\r\\", 3), ("'; DROP TABLE x; --", 1), ("\\N\t\"`", 5), ("größer 🦀", 4)]);
    assert_eq!(found, wanted);
    let process = Process::<(String, i64)>::begin(sink(), Some(2)).unwrap();
    process.write(2, rows(&[("not again", 1)])).unwrap();
    assert_eq!(place.rows(&format!("SELECT {word}, {count} FROM {table}")).len(), 5);
}

fn a_lost_ledger_is_told_and_can_be_accepted<P: Place>(place: &P) {
    let process = Process::begin(place.append(), None).unwrap();
    (1..=3).for_each(|batch| process.write(batch, rows(&[("a", batch as i64)])).unwrap());
    let lost = |committed| error(Process::<(String, i64)>::begin(place.append(), Some(committed)));
    // The journal knows of a batch that the ledger does not have: the database is an older copy.
    let (kind, older) = lost(5);
    assert_eq!(kind, ErrorKind::Program);
    says(&older, &["ends at batch 3000 ms and not at 5000 ms", ".accept_lost_ledger()", "\"counts\" of \"shop\""]);
    place.run(&format!("DROP TABLE {}", P::quoted(&place.ledger())));
    says(&lost(3).1, &["has no row", "the ledger was dropped or the database was restored"]);
    Process::<(String, i64)>::begin(place.append(), None).unwrap();
    says(&lost(3).1, &["has no batch of the output"]);
    let process = Process::begin(place.append().accept_lost_ledger(), Some(3)).unwrap();
    process.write(3, rows(&[("again", 3)])).unwrap();
    process.write(4, rows(&[("a", 4)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 1), ("a", 2), ("a", 3), ("a", 4)]));
}

fn a_ledger_that_goes_while_the_program_runs_is_told<P: Place>(place: &P) {
    let process = Process::begin(place.append(), None).unwrap();
    process.write(1, rows(&[("a", 1)])).unwrap();
    let ledger = P::quoted(&place.ledger());
    // An older copy of the database.
    place.run(&format!("UPDATE {ledger} SET batch_ms = 500"));
    let (kind, older) = error(process.write(2, rows(&[("a", 2)])));
    assert_eq!(kind, ErrorKind::Program);
    says(&older, &["ends at batch 500 ms and not at 1000 ms of the output \"counts\"", ".accept_lost_ledger()"]);
    place.run(&format!("DELETE FROM {ledger}"));
    let (kind, gone) = error(process.write(2, rows(&[("a", 2)])));
    assert_eq!(kind, ErrorKind::Program);
    says(&gone, &["has no row of the output \"counts\"", ".accept_lost_ledger()"]);
    place.run(&format!("DROP TABLE {ledger}"));
    let (kind, gone) = error(process.write(2, rows(&[("a", 2)])));
    assert_eq!(kind, ErrorKind::Program);
    says(&gone, &["is gone, and with it the row of the output", ".accept_lost_ledger()"]);
    assert_eq!(place.counts(), rows(&[("a", 1)]));
}

fn a_table_that_changes_while_the_program_runs_is_told<P: Place>(place: &P) {
    for upsert in [false, true] {
        let process = Process::begin(if upsert { place.upsert() } else { place.append() }, None).unwrap();
        process.write(1, rows(&[("a", 1)])).unwrap();
        let name = P::quoted(&place.table("counts"));
        place.run(&format!("ALTER TABLE {name} RENAME COLUMN count TO number"));
        let (kind, changed) = error(process.write(2, rows(&[("b", 2)])));
        assert_eq!(kind, ErrorKind::Program, "{changed}");
        says(&changed, &["it cannot be written to; has it changed since the start?", "count"]);
        place.run(&format!("ALTER TABLE {name} RENAME COLUMN number TO count"));
        process.write(2, rows(&[("b", 2)])).unwrap();
        assert_eq!(place.counts(), rows(&[("a", 1), ("b", 2)]));
        place.run(&format!("DROP TABLE {name}"));
        assert_eq!(error(process.write(3, rows(&[("c", 3)]))).0, ErrorKind::Program);
        place.run(&format!("DROP TABLE {}", P::quoted(&place.ledger())));
    }
}

/// A batch is refused, by a column and a row; nothing of it is there, and the mended batch goes in.
#[track_caller]
pub(crate) fn refuses<P: Place, T: Row>(place: &P, process: &Process<T>, batch: u64, wrong: Vec<T>, parts: &[&str]) {
    let before = place.counts();
    let (kind, message) = error(process.write(batch, wrong));
    assert_eq!(kind, ErrorKind::Data, "{message}");
    says(&message, &[&format!("table {:?}", place.table("counts"))]);
    says(&message, parts);
    assert_eq!(place.counts(), before);
}

fn a_duplicate_is_refused_and_named<P: Place>(place: &P) {
    place.run(&format!("CREATE TABLE {} (word VARCHAR(20) UNIQUE, count INT)", P::quoted(&place.table("counts"))));
    let process: Process<(String, i16)> = Process::begin(place.append(), None).unwrap();
    let row = |number: i16| (format!("w{number}"), number);
    process.write(1, (0..300).map(row).collect()).unwrap();
    // One that is in the table, behind many that are not.
    let mut wrong: Vec<_> = (1000..1500).map(row).collect();
    wrong.insert(333, row(7));
    refuses(place, &process, 2, wrong, &["column \"word\"", "the row (\"w7\", 7) is refused: "]);
    // One that is in the batch itself.
    let mut wrong: Vec<_> = (1000..1500).map(row).collect();
    wrong[400] = ("w1000".to_owned(), -1);
    refuses(place, &process, 2, wrong, &["column \"word\"", "the row (\"w1000\", -1) is refused: "]);
    process.write(2, (1000..1500).map(row).collect()).unwrap();
    assert_eq!(place.counts().len(), 800);
}

fn readers_see_whole_batches<P: Place + Sync>(place: &P) {
    let process = Process::begin(place.upsert(), None).unwrap();
    process.write(1, (0..100).map(|n| (format!("account {n}"), 100)).collect()).unwrap();
    let (done, name) = (AtomicBool::new(false), P::quoted(&place.table("counts")));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut readings = 0;
            while !done.load(Ordering::Relaxed) || readings == 0 {
                let sum = place.rows(&format!("SELECT 'sum', CAST(SUM(count) AS {}) FROM {name}", P::BIG_INTEGER));
                assert_eq!(sum, rows(&[("sum", 10_000)]), "money is moved, not made");
                readings += 1;
            }
            readings
        });
        for batch in 2..60 {
            // All give what half of them get.
            let moved = batch as i64 % 7;
            let account = |n: i64| (format!("account {n}"), if n % 2 == 0 { 100 + moved } else { 100 - moved });
            process.write(batch, (0..100).map(account).collect()).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

fn two_processes_at_the_same_time_write_each_batch_once<P: Place + Sync>(place: &P) {
    let process = || Process::begin(place.append(), None).unwrap();
    let (one, other) = (process(), process());
    let write = |process: &Process<(String, i64)>| {
        for batch in 1..=40 {
            process.write(batch, (0..20).map(|n| (format!("w{n}"), batch as i64)).collect()).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| write(&one));
        scope.spawn(|| write(&other));
    });
    let name = P::quoted(&place.table("counts"));
    let found = place.rows(&format!("SELECT word, COUNT(*) FROM {name} GROUP BY word, count"));
    assert_eq!(found.len(), 40 * 20);
    assert!(found.iter().all(|(_, times)| *times == 1), "{found:?}");
}

fn all_types_come_back<P: Place>(place: &P) {
    type All = (bool, i16, i32, i64, f32, f64, String, Vec<u8>, Option<String>, Option<i64>);
    let names = ["flag", "small", "middle", "big", "single", "precise", "word", "raw", "note", "maybe"];
    let table = place.table("types");
    let sink = place.database().ledger(place.ledger()).append_to(&table).columns(names).create_table();
    let process: Process<All> = Process::begin(sink, None).unwrap();
    let bytes: Vec<u8> = (0..=255).collect();
    let record = (true, i16::MIN, i32::MAX, i64::MIN, -1.5, 0.1, "tab\there".to_owned(), bytes, None, Some(i64::MAX));
    process.write(1, vec![record]).unwrap();
    let name = P::quoted(&table);
    let has = |condition: &str| {
        let found = place.rows(&format!("SELECT 'found', COUNT(*) FROM {name} WHERE {condition}"));
        assert_eq!(found, rows(&[("found", 1)]), "{condition}");
    };
    has("flag AND small = -32768 AND middle = 2147483647 AND note IS NULL AND maybe = 9223372036854775807");
    has("big < -9223372036854775807 AND single = -1.5 AND precise = 0.1 AND LENGTH(raw) = 256");
    has("word LIKE 'tab_here' AND LENGTH(word) = 8");
    let bytes = place.rows(&format!("SELECT {}, CAST(1 AS {}) FROM {name}", P::HEX, P::BIG_INTEGER));
    let wanted: String = (0..=255u8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes[0].0.to_lowercase(), wanted);
}
