//! `headwater checkpoint export-state`.

use crate::failure::Failure;
use crate::json::Json;
use crate::place;
use headwater::checkpoint::StoredItem;
use headwater::time::Time;
use headwater::{Error, ErrorKind};
use serde_json::json;
use std::io::{self, Write};

pub(crate) fn export(folder: &str, operator: &str, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut failed: Option<io::Error> = None;
    let read = place::look(folder)?.each_stored::<Json, Json>(operator, |item| {
        let ms = |time: Option<Time>| time.map(Time::milliseconds);
        let line = match item {
            StoredItem::Entry { key, state, timeout, timer } => {
                json!({"key": key.0, "state": state.0, "timeout": ms(timeout), "timer": ms(timer)})
            }
            StoredItem::Value { key, value, batch } => {
                json!({"key": key.0, "value": value.0, "batch": batch.milliseconds()})
            }
            StoredItem::Left { key, total } => json!({"key": key.0, "value": total.0, "batch": null}),
        };
        writeln!(out, "{line}").map_err(|error| {
            failed = Some(error);
            Error::new(ErrorKind::Cancelled, "nobody reads it")
        })
    });
    match (failed, read) {
        (Some(failed), _) => Err(failed.into()),
        (None, read) => Ok(read.map(|()| 0)?),
    }
}
