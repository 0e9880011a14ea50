//! How the log of letters stays small: like a ring, whose oldest segment is written anew at its end without what has gone.

use super::super::super::numbers::Numbers;
use super::super::piece::Piece;
use super::LetterLog;
use headwater_core::Result;
use headwater_core::time::Time;
use headwater_storage::read_record;

/// Bytes of the log that need not be of letters which are still there, besides as many as those have: beyond that the oldest
/// segment is written anew without what has gone.
const WASTE_BYTES_MAX: u64 = 32 << 20;

impl LetterLog {
    /// Lets go of pieces whose letters have gone and whose batch is not behind `time`. Where much of the log is of such, the
    /// oldest segment is written anew without them. From which segment on the log is needed now, and the lowest number that
    /// is in it; none where that has not changed.
    pub(in super::super) fn tidy(&mut self, time: Time) -> Result<Option<(u64, u64)>> {
        let gone = |first: &u64| self.pieces.get(first).is_none_or(|piece| piece.batch <= time);
        for first in self.empty.iter().copied().filter(gone).collect::<Vec<u64>>() {
            self.empty.remove(&first);
            let piece = self.pieces.remove(&first);
            piece.into_iter().for_each(|piece| self.leaves(piece.position.segment));
        }
        let written = self.segments.values().map(|segment| segment.bytes).sum::<u64>();
        if written > 2 * self.bytes + WASTE_BYTES_MAX {
            self.rewrite_oldest()?;
        }
        // The newest segment is not removed: it says where the log goes on.
        let newest = self.segments.keys().next_back().copied();
        let needed = self.segments.iter().find(|(_, segment)| segment.pieces > 0).map(|(number, _)| *number).or(newest);
        let Some(needed) = needed.filter(|needed| self.segments.keys().next().is_some_and(|first| first < needed))
        else {
            return Ok(None);
        };
        self.segments = self.segments.split_off(&needed);
        let lowest = self.segments.values().map(|segment| segment.lowest).min().unwrap_or(self.next);
        Ok(Some((needed, lowest)))
    }
    fn rewrite_oldest(&mut self) -> Result<()> {
        let (Some(oldest), Some(newest)) = (self.segments.keys().next(), self.segments.keys().next_back()) else {
            return Ok(());
        };
        if oldest == newest {
            return Ok(());
        }
        let in_it = self.pieces.iter().filter(|(_, piece)| piece.position.segment == *oldest);
        let mut pieces = Vec::new();
        for (_, stored) in in_it {
            let mut piece = Piece::decode(&read_record(&*self.storage, &self.folder, stored.position)?)?;
            piece.letters.retain(|(offset, _)| stored.sizes[*offset as usize] > 0);
            pieces.push(piece);
        }
        if pieces.is_empty() {
            return Ok(());
        }
        for (position, piece) in self.append(&pieces)?.into_iter().zip(&pieces) {
            self.added(position, piece, &Numbers::default());
        }
        Ok(())
    }
    /// Removes the segments before this one.
    pub(in super::super) fn remove_before(&mut self, segment: u64) -> Result<()> {
        self.writer()?.remove_before(segment)
    }
}
