//! Files that both sides write: the same records, settings and, once one side has written, marker.

use headwater_files::sequence_file::{
    Codec, Compression, RawReader, Reader, ReaderOptions, SyncMarker, VInt, VLong, Writable, Writer, WriterOptions,
};

/// The n-th value of a type, and the form in which the oracle reads and shows it.
pub(crate) trait Shown: Writable + 'static {
    fn nth(n: u64) -> Self;
    fn show(&self) -> String;
}

/// Spreads small numbers over 64 bits.
fn mixed(n: u64) -> u64 {
    let n = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (n ^ n >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
/// The edges of the variable-length forms, then numbers of all lengths.
fn number(n: u64) -> i64 {
    const EDGES: [i64; 14] =
        [0, 1, -1, 127, 128, -112, -113, 255, 256, -256, -257, i32::MAX as i64, i32::MIN as i64, i64::MIN];
    EDGES.get(n as usize).copied().unwrap_or(mixed(n) as i64 >> (n % 64))
}
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! shown {
    ($($kind:ty: $n:ident => $nth:expr, $value:ident => $show:expr;)*) => {$(
        impl Shown for $kind {
            fn nth($n: u64) -> $kind { $nth }
            fn show(&self) -> String { let $value = self; $show }
        }
    )*};
}
shown! {
    (): _n => (), _value => String::new();
    bool: n => n.is_multiple_of(3), value => value.to_string();
    i32: n => number(n) as i32, value => value.to_string();
    i64: n => number(n), value => value.to_string();
    VInt: n => VInt(number(n) as i32), value => value.0.to_string();
    VLong: n => VLong(number(n)), value => value.0.to_string();
    f32: n => [0.0, -0.0, f32::INFINITY, f32::MIN, f32::NAN].get(n as usize).copied().unwrap_or(mixed(n) as f32 / 7.0),
        value => (value.to_bits() as i32).to_string();
    f64: n => [0.0, -0.0, f64::NEG_INFINITY, f64::MAX, 5e-324].get(n as usize).copied().unwrap_or(mixed(n) as f64 / 7.0),
        value => (value.to_bits() as i64).to_string();
    String: n => "né 😀 of words, ".chars().cycle().skip(n as usize % 9).take(mixed(n) as usize % (1 << (n % 9))).collect(),
        value => hexadecimal(value.as_bytes());
    Vec<u8>: n => (0..mixed(n) % (1 << (n % 11))).map(|at| mixed(n + at / 3) as u8).collect(), value => hexadecimal(value);
}

/// How a file is written.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) compression: Compression,
    pub(crate) sync_interval: u64,
    pub(crate) block_bytes: usize,
}

impl Settings {
    /// The names that Hadoop has for the compression: `("BLOCK", "GzipCodec")`.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        let codec = self.compression.codec().unwrap_or(Codec::Default).class();
        let compression = match self.compression {
            Compression::None => "NONE",
            Compression::Record(_) => "RECORD",
            Compression::Block(_) => "BLOCK",
        };
        (compression, codec.rsplit('.').next().unwrap())
    }
}

pub(crate) const COMPRESSIONS: [Compression; 5] = [
    Compression::None,
    Compression::Record(Codec::Default),
    Compression::Record(Codec::Gzip),
    Compression::Block(Codec::Default),
    Compression::Block(Codec::Gzip),
];
pub(crate) const METADATA: [(&str, &str); 2] = [("a", "1"), ("origin", "a test")];

/// Classes and records of a file.
pub(crate) struct Case {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) records: u64,
    write: fn(u64, WriterOptions) -> Vec<u8>,
    read: fn(&[u8], ReaderOptions) -> Vec<String>,
    line: fn(u64) -> String,
}

impl Case {
    pub(crate) fn new<K: Shown, V: Shown>(records: u64) -> Case {
        let (key, value) = (K::CLASS.rsplit('.').next().unwrap(), V::CLASS.rsplit('.').next().unwrap());
        Case { key, value, records, write: write::<K, V>, read: read::<K, V>, line: line::<K, V> }
    }
    /// What both sides read of the file.
    pub(crate) fn lines(&self) -> Vec<String> {
        (0..self.records).map(self.line).collect()
    }
    /// Our file.
    pub(crate) fn write(&self, settings: Settings, sync: SyncMarker) -> Vec<u8> {
        (self.write)(self.records, options(settings, sync))
    }
    /// What we read of a file.
    pub(crate) fn read(&self, file: &[u8], options: ReaderOptions) -> Vec<String> {
        (self.read)(file, options)
    }
    pub(crate) fn name(&self, settings: Settings) -> String {
        let (compression, codec) = settings.names();
        format!("{}-{}.{compression}-{codec}", self.key, self.value)
    }
    /// Compares a file of Hadoop's with ours: all bytes where nothing is compressed, else the header, the records, and
    /// which of them have a block together.
    pub(crate) fn compare(&self, settings: Settings, file: &[u8]) {
        let name = self.name(settings);
        assert!(self.read(file, ReaderOptions::new()) == self.lines(), "{name}");
        let sync = RawReader::new(file, "hadoop's", ReaderOptions::new()).unwrap().header().sync;
        let ours = self.write(settings, sync);
        let header = (self.write)(0, options(settings, sync)).len();
        assert_eq!(ours[..header], file[..header], "{name}");
        assert_eq!(places(&ours), places(file), "{name}");
        assert!(settings.compression != Compression::None || ours == file, "{name}");
    }
}

fn options(settings: Settings, sync: SyncMarker) -> WriterOptions {
    let options = WriterOptions::new(sync).compression(settings.compression);
    let options = options.sync_interval(settings.sync_interval).block_bytes(settings.block_bytes);
    METADATA.iter().fold(options, |options, (key, value)| options.metadata(*key, *value))
}
fn line<K: Shown, V: Shown>(n: u64) -> String {
    format!("{}\t{}", K::nth(n).show(), V::nth(n + 1).show())
}
fn write<K: Shown, V: Shown>(records: u64, options: WriterOptions) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), options).unwrap();
    (0..records).for_each(|n| writer.append(&K::nth(n), &V::nth(n + 1)).unwrap());
    writer.finish().unwrap()
}
fn read<K: Shown, V: Shown>(file: &[u8], options: ReaderOptions) -> Vec<String> {
    let records = Reader::<K, V, _>::new(file, "hadoop's", options).unwrap().map(Result::unwrap);
    records.map(|(key, value)| format!("{}\t{}", key.show(), value.show())).collect()
}
/// Which record of its block each record is.
fn places(file: &[u8]) -> Vec<Option<usize>> {
    let (mut reader, mut places) = (RawReader::new(file, "f", ReaderOptions::new()).unwrap(), Vec::new());
    while let Some(record) = reader.next_record().unwrap() {
        places.push(record.place.record_of_block);
    }
    places
}

/// What the oracle prints of a file in parts of `bytes`, from what `read` gives of each.
pub(crate) fn parts(length: usize, bytes: u64, read: impl Fn(ReaderOptions) -> Vec<String>) -> Vec<String> {
    let starts = (0..length as u64).step_by(bytes as usize);
    let part = |start| read(ReaderOptions::new().range(start..start + bytes));
    starts.flat_map(|start| [vec![format!("part {}", start / bytes)], part(start)].concat()).collect()
}

/// Every type as a key or a value.
pub(crate) fn all(records: u64) -> Vec<Case> {
    vec![
        Case::new::<String, i32>(records),
        Case::new::<(), String>(records),
        Case::new::<i64, Vec<u8>>(records),
        Case::new::<VInt, VLong>(records),
        Case::new::<f32, f64>(records),
        Case::new::<bool, ()>(records),
        Case::new::<Vec<u8>, f32>(records),
        Case::new::<i32, i64>(records),
        Case::new::<(), ()>(records),
        Case::new::<String, i32>(0),
    ]
}
