//! `headwater checkpoint cut`.

use crate::failure::{Failure, NEEDS_YES};
use crate::people::when;
use crate::place;
use headwater::checkpoint::{CheckpointCut, CheckpointFolder, CutPart};
use std::io::{self, Write};

pub(crate) fn cut(folder: &str, yes: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let storage = place::storage(folder)?;
    let found = match yes {
        true => CheckpointFolder::cut(&storage, folder)?,
        false => CheckpointFolder::find_cut(&storage, folder)?,
    };
    let Some(cut) = found else {
        writeln!(out, "nothing is damaged that a cut would mend; `headwater checkpoint verify` reads all files")?;
        return Ok(0);
    };
    say(folder, &cut, yes, out)?;
    if yes {
        return Ok(0);
    }
    out.flush()?;
    let message = "nothing was changed: with --yes it is done; a copy of the folder, where there is one, may lose less";
    Err(Failure { code: NEEDS_YES, message: Some(message.to_owned()) })
}

fn say(folder: &str, cut: &CheckpointCut, is_done: bool, out: &mut dyn Write) -> io::Result<()> {
    let CheckpointCut { newest, known, parts, aside } = cut;
    let (is, moved) = if is_done { ("is", "were moved") } else { ("would be", "would be moved") };
    for CutPart { part, segment, offset } in parts {
        writeln!(out, "{part} {is} cut at byte {offset} of segment {segment}")?;
    }
    writeln!(out, "the segment and what stands behind it {moved} to {}/{aside}", folder.trim_end_matches('/'))?;
    match newest {
        Some(newest) => writeln!(out, "the newest batch that is still there: {}", when(*newest))?,
        None => writeln!(out, "no batch is still there")?,
    }
    if let Some(known) = known.filter(|known| Some(*known) > *newest) {
        writeln!(out, "done, and lost since what it changed in states is damaged: up to {}", when(known))?;
    }
    writeln!(out, "later batches are lost: they run again, with what their inputs still deliver of them")
}
