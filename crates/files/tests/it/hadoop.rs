//! Hadoop itself reads what we wrote and writes what we read: `cargo test -p headwater-files -- --ignored hadoop`.
//! It needs a JDK and Maven, which fetches Hadoop once; see `tests/hadoop/oracle`.
#![allow(clippy::disallowed_methods, reason = "starts Hadoop, on files of the test's own")]

use super::cases::{COMPRESSIONS, Case, METADATA, Settings, all, parts};
use super::golden;
use headwater_files::sequence_file::{BLOCK_BYTES, ReaderOptions, SYNC_INTERVAL, SyncMarker};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The bytes of a part: few enough that parts begin at all kinds of places, and many where Hadoop looks for long.
fn part_bytes(settings: Settings) -> u64 {
    if settings.sync_interval < SYNC_INTERVAL { 1009 } else { 20_011 }
}

/// What Hadoop is asked to do, and where.
struct Oracle {
    folder: PathBuf,
    jobs: String,
}

impl Oracle {
    fn new(name: &str) -> Oracle {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Oracle { folder, jobs: String::new() }
    }
    fn path(&self, file: &str) -> String {
        self.folder.join(file).to_str().unwrap().to_owned()
    }
    fn ask(&mut self, job: &[&str]) {
        self.jobs += &(job.join("\t") + "\n");
    }
    /// Asks for a file of Hadoop's at `path`, and for its parts behind it.
    fn ask_for(&mut self, case: &Case, settings: Settings, path: &str, part_bytes: u64) {
        let (compression, codec) = settings.names();
        let records = self.path(&format!("{}-{}-{}.records", case.key, case.value, case.records));
        fs::write(&records, case.lines().iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let (interval, block) = (settings.sync_interval.to_string(), settings.block_bytes.to_string());
        let metadata = METADATA.map(|(key, value)| format!("{key}={value}")).join(",");
        let classes = [compression, codec, case.key, case.value];
        self.ask(&[&["write", path], &classes[..], &[&interval, &block, &metadata, &records]].concat());
        self.ask_parts(path, part_bytes);
    }
    fn ask_parts(&mut self, path: &str, part_bytes: u64) {
        self.ask(&["parts", path, &part_bytes.to_string(), &path.replace(".seq", ".parts")]);
    }
    /// Runs all jobs in one Java machine.
    fn run(&self) {
        let jobs = self.path("jobs");
        fs::write(&jobs, &self.jobs).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hadoop/oracle");
        let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hadoop-oracle");
        let status = Command::new(script).args([build.as_os_str(), jobs.as_ref()]).status().unwrap();
        assert!(status.success(), "{status}");
    }
}

fn lines_of(path: &str) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Every pair of types in every compression, and long files with the settings that Hadoop has by default.
fn matrix() -> Vec<(Case, Settings)> {
    let mut files = Vec::new();
    for compression in COMPRESSIONS {
        let small = Settings { compression, sync_interval: 2000, block_bytes: 3000 };
        files.extend(all(400).into_iter().map(|case| (case, small)));
        let usual = Settings { compression, sync_interval: SYNC_INTERVAL, block_bytes: BLOCK_BYTES };
        files.push((Case::new::<String, i32>(40_000), usual));
    }
    files
}

#[test]
#[ignore = "fetches Hadoop"]
fn hadoop_and_we_read_each_other() {
    let mut oracle = Oracle::new("hadoop-files");
    let files = matrix();
    let sync = SyncMarker::from_bytes(*b"0123456789abcdef");
    let ours = |number: usize| format!("ours-{number}.seq");
    let theirs = |number: usize| format!("theirs-{number}.seq");
    for (number, (case, settings)) in files.iter().enumerate() {
        let path = oracle.path(&ours(number));
        fs::write(&path, case.write(*settings, sync)).unwrap();
        oracle.ask(&["read", &path, &path.replace(".seq", ".read")]);
        oracle.ask_parts(&path, part_bytes(*settings));
        oracle.ask_for(case, *settings, &oracle.path(&theirs(number)), part_bytes(*settings));
    }
    oracle.run();

    let (mut records, mut in_parts) = (0, 0);
    for (number, (case, settings)) in files.iter().enumerate() {
        let name = case.name(*settings);
        let (read, (compression, codec)) = (lines_of(&oracle.path(&format!("ours-{number}.read"))), settings.names());
        let header = [
            format!("org.apache.hadoop.io.{}", case.key),
            format!("org.apache.hadoop.io.{}", case.value),
            compression.to_owned(),
            if compression == "NONE" { String::new() } else { format!("org.apache.hadoop.io.compress.{codec}") },
            "{a=1, origin=a test}".to_owned(),
        ];
        assert_eq!(read[..5], header, "{name}");
        assert!(read[5..] == case.lines(), "Hadoop reads our {name} otherwise");
        case.compare(*settings, &fs::read(oracle.path(&theirs(number))).unwrap());
        for path in [oracle.path(&ours(number)), oracle.path(&theirs(number))] {
            let file = fs::read(&path).unwrap();
            let found = lines_of(&path.replace(".seq", ".parts"));
            assert!(
                found == parts(file.len(), part_bytes(*settings), |options| case.read(&file, options)),
                "parts of {path}, {name}"
            );
            in_parts += file.len().div_ceil(part_bytes(*settings) as usize);
        }
        records += case.records;
    }
    println!("{} files of ours and {0} of Hadoop's, {records} records each way, {in_parts} parts", files.len());
}

#[test]
#[ignore = "fetches Hadoop"]
fn hadoop_makes_the_golden_files() {
    let mut oracle = Oracle::new("hadoop-golden");
    let rewrite = std::env::var_os("REWRITE").is_some();
    let path = |oracle: &Oracle, file: &str| if rewrite { golden::data(file) } else { oracle.path(file) };
    for (case, settings) in golden::cases() {
        let file = path(&oracle, &format!("{}.seq", case.name(settings)));
        oracle.ask_for(&case, settings, &file, golden::PART_BYTES);
    }
    let hexadecimal = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let field = |text: Option<String>| text.unwrap_or_else(|| "null".to_owned());
    let line = |(key, value): (Option<&str>, Option<i32>)| {
        format!("{}\t{}\n", field(key.map(hexadecimal)), field(value.map(|value| value.to_string())))
    };
    fs::write(oracle.path("lines"), golden::LINES.map(line).concat()).unwrap();
    let (lines, records) = (path(&oracle, "lines.txt"), oracle.path("lines"));
    oracle.ask(&["text", &lines, "Text", "IntWritable", &records]);
    oracle.run();
    for (case, settings) in golden::cases() {
        let file = fs::read(path(&oracle, &format!("{}.seq", case.name(settings)))).unwrap();
        case.compare(settings, &file);
        assert_eq!(case.read(&file, ReaderOptions::new()).len() as u64, case.records);
    }
    assert_eq!(fs::read(lines).unwrap(), fs::read(golden::data("lines.txt")).unwrap());
}
