//! [`Server`]: a real server of the test's own, by the scripts of the repository; and what all servers have in common.

use crate::place::{Place, Process, error, rows, says};
use headwater::ErrorKind;
use headwater::testkit::{TemporaryFolder, temporary_folder};
use headwater_sql::SqlDatabase;
use std::process::Command;
use std::time::Duration;

/// A server that ends with this.
pub(crate) struct Server {
    brand: &'static str,
    folder: TemporaryFolder,
}
impl Server {
    pub(crate) fn start(brand: &'static str, tls: bool) -> Server {
        let server = Server { brand, folder: temporary_folder() };
        server.script("setup", false);
        server.script("start", tls);
        server
    }
    /// How to connect, with the password.
    pub(crate) fn url(&self) -> String {
        self.file("url")
    }
    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("{}/{name}", self.folder)).unwrap().trim().to_owned()
    }
    fn script(&self, name: &str, tls: bool) {
        let script = format!("{}/../../scripts/servers/{}/{name}", env!("CARGO_MANIFEST_DIR"), self.brand);
        let mut command = Command::new(&script);
        command.arg(format!("{}", self.folder)).env("TLS", if tls { "1" } else { "0" });
        assert!(command.status().unwrap().success(), "{script}");
    }
    pub(crate) fn stop(&self) {
        self.script("stop", false);
    }
    pub(crate) fn again(&self) {
        self.script("start", false);
    }
    /// Kills it at once, and starts it again.
    pub(crate) fn kill(&self) {
        assert!(Command::new("kill").args(["-9", &self.file("pid")]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(100));
        self.again();
    }
}
impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Down at the start, down while it runs: each is an error that may pass, without the password, and nothing is lost.
pub(crate) fn comes_and_goes<P: Place>(server: &Server, place: &P) {
    let sink = || {
        let database = place.database().ledger(place.ledger()).connect_timeout(Duration::from_millis(500));
        database.append_to(place.table("counts")).columns(["word", "count"]).create_table()
    };
    server.stop();
    let (kind, down) = error(Process::<(String, i64)>::begin(sink(), None));
    assert_eq!(kind, ErrorKind::Outside);
    says(&down, &["no connection within 500ms", "refused", "@127.0.0.1:"]);
    server.again();
    let process = Process::begin(sink(), None).unwrap();
    process.write(1, rows(&[("a", 1)])).unwrap();
    server.stop();
    assert_eq!(error(process.write(2, rows(&[("a", 2)]))).0, ErrorKind::Outside);
    server.again();
    process.write(2, rows(&[("a", 2)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 1), ("a", 2)]));
}

/// A database that does not answer is an error within the time-out, and the batch goes in later, once. `hold` runs its closure
/// while another program holds the row of the ledger.
pub(crate) fn a_commit_has_a_time_out<P: Place>(place: &P, hold: impl Fn(&str, &mut dyn FnMut())) {
    let database = place.database().ledger(place.ledger()).commit_timeout(Duration::from_millis(700));
    let sink = database.append_to(place.table("counts")).columns(["word", "count"]).create_table();
    let process = Process::begin(sink, None).unwrap();
    process.write(1, rows(&[("a", 1)])).unwrap();
    hold(&format!("UPDATE {} SET batch_ms = batch_ms + 1", P::quoted(&place.ledger())), &mut || {
        let (kind, message) = error(process.write(2, rows(&[("a", 2)])));
        assert_eq!(kind, ErrorKind::Outside);
        says(&message, &["has not answered within 700ms", "commit_timeout"]);
    });
    process.write(2, rows(&[("a", 2)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 1), ("a", 2)]));
}

/// With TLS and a password; `of` makes a database of a URL.
pub(crate) fn is_safe<P: Place>(server: &Server, place: &P, of: fn(String) -> SqlDatabase) {
    let process = Process::begin(place.upsert(), None).unwrap();
    process.write(1, rows(&[("a", 1)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 1)]));

    let (url, password) = (server.url(), server.file("password"));
    let start = |url: String| {
        let database = of(url).connect_timeout(Duration::from_secs(3));
        let sink = database.append_to("counts").columns(["word", "count"]);
        let shown = format!("{database:?} {sink:?}");
        assert!(
            !shown.contains(&password) && !shown.contains("wrong-secret") && shown.contains("@127.0.0.1:"),
            "{shown}"
        );
        let (kind, message) = error(Process::<(String, i64)>::begin(sink, None));
        assert!(!message.contains(&password) && !message.contains("wrong-secret"), "{message}");
        (kind, message)
    };
    let (kind, message) = start(url.replace(&password, "wrong-secret"));
    assert_eq!(kind, ErrorKind::Program);
    says(&message, &["@127.0.0.1:", "cannot connect: "]);
    // The system does not know who has signed the certificate.
    let (without_authority, _) = url.rsplit_once('&').unwrap();
    let (kind, message) = start(without_authority.to_owned());
    assert_eq!(kind, ErrorKind::Outside);
    says(&message.to_lowercase(), &["certificate"]);
    // Without TLS.
    let (plain, _) = url.rsplit_once('?').unwrap();
    let off = if plain.starts_with("mysql") { "?ssl-mode=DISABLED" } else { "?sslmode=disable" };
    start(format!("{plain}{off}"));
}
