//! JSON lines, in a folder for each batch.

use super::Store;
use crate::row::Row;
use headwater::dstream::OutputOperation;
use headwater::prelude::*;
use headwater_files::FileSink;
use std::fs;
use std::path::PathBuf;

pub(super) fn write(rows: &DStream<Row>, dir: &str) -> OutputOperation {
    rows.write_to(FileSink::json_lines(format!("{dir}/rows")))
}

pub(super) struct Files {
    dir: PathBuf,
}
impl Files {
    pub(super) fn new(dir: &str) -> Files {
        Files { dir: dir.into() }
    }
}
impl Store for Files {
    fn rows(&self) -> Result<Vec<Row>, String> {
        let mut rows = Vec::new();
        let failed = |error: std::io::Error| format!("cannot read {}: {error}", self.dir.display());
        for batch in fs::read_dir(&self.dir).map_err(failed)? {
            let batch = batch.map_err(failed)?;
            if !batch.file_name().to_string_lossy().starts_with("rows-") {
                continue;
            }
            for part in fs::read_dir(batch.path()).map_err(failed)? {
                let part = part.map_err(failed)?;
                if part.file_name().to_string_lossy().starts_with("part-") {
                    let text = fs::read_to_string(part.path()).map_err(failed)?;
                    let parsed: Result<Vec<Row>, _> = text.lines().map(serde_json::from_str).collect();
                    rows.extend(parsed.map_err(|error| format!("{}: {error}", part.path().display()))?);
                }
            }
        }
        Ok(rows)
    }
}
