//! The frame of a record in a segment; see [`super`] for its bytes.

use super::LOG_RECORD_BYTES_MAX;
use crate::format::Fields;

/// What stands before a record.
pub(super) const HEAD_BYTES: usize = 12;
/// What a record takes beside its own bytes.
pub(crate) const FRAME_BYTES: u64 = HEAD_BYTES as u64 + 4;

/// Appends the frame of a record that begins at `offset` of the segment, of which the first `synced` bytes are synced.
pub(super) fn push(out: &mut Vec<u8>, (segment, offset): (u64, u64), synced: u64, payload: &[&[u8]]) {
    let (length, synced) = (payload.iter().map(|part| part.len()).sum::<usize>() as u32, synced as u32);
    let mut checksum = head_checksum(segment, offset, length, synced);
    for number in [length, synced, checksum] {
        out.extend(number.to_le_bytes());
    }
    for part in payload {
        out.extend(*part);
        checksum = crc32c::crc32c_append(checksum, part);
    }
    out.extend(checksum.to_le_bytes());
}

/// A valid head.
pub(super) struct Head {
    /// Of the payload, in bytes.
    pub(super) length: usize,
    pub(super) synced: u64,
    checksum: u32,
}

/// The head with which `bytes` begin, at `offset` of the segment; `None` if there is none.
pub(super) fn head(bytes: &[u8], segment: u64, offset: u64) -> Option<Head> {
    let mut fields = Fields(bytes);
    let (length, synced, checksum) = (fields.u32()?, fields.u32()?, fields.u32()?);
    // Cheap tests first: a search for heads comes here at every byte.
    let plausible = length as usize <= LOG_RECORD_BYTES_MAX && u64::from(synced) <= offset;
    let valid = plausible && checksum == head_checksum(segment, offset, length, synced);
    valid.then_some(Head { length: length as usize, synced: synced.into(), checksum })
}

/// The payload of the frame with which `bytes` begin, at `offset` of the segment, or what is wrong with it.
pub(super) fn read(bytes: &[u8], segment: u64, offset: u64) -> Result<&[u8], &'static str> {
    let head = head(bytes, segment, offset).ok_or("a record has a damaged head")?;
    let mut fields = Fields(&bytes[HEAD_BYTES..]);
    let payload = fields.bytes(head.length).ok_or("a record ends behind the segment")?;
    let checksum = fields.u32().ok_or("a record ends behind the segment")?;
    let valid = checksum == crc32c::crc32c_append(head.checksum, payload);
    if valid { Ok(payload) } else { Err("a record has a wrong checksum") }
}

/// Includes where the frame is, so that one that got elsewhere is not valid there.
fn head_checksum(segment: u64, offset: u64, length: u32, synced: u32) -> u32 {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&segment.to_le_bytes());
    bytes[8..16].copy_from_slice(&offset.to_le_bytes());
    bytes[16..20].copy_from_slice(&length.to_le_bytes());
    bytes[20..].copy_from_slice(&synced.to_le_bytes());
    crc32c::crc32c(&bytes)
}
