//! What this process has used, as Linux tells it in /proc. Elsewhere the answers are `None`.

use std::fs;

/// Length of a tick in /proc/self/stat: 100 a second on every architecture Rust's standard library runs on.
const TICK_SECONDS: f64 = 0.01;

/// How far the two clocks of [`cpu_between`] may differ by rounding alone.
const ROUNDING_SECONDS: f64 = 0.03;

/// CPU time by two clocks: exact, of the threads alive; and in ticks, of all threads that ever lived.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    alive_seconds: f64,
    all_seconds: f64,
}

pub(crate) fn cpu() -> Option<Cpu> {
    let threads = fs::read_dir("/proc/self/task").ok()?.flatten();
    let schedules = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanoseconds: u64 = schedules.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum();
    let ticks = ticks(&fs::read_to_string("/proc/self/stat").ok()?)?;
    Some(Cpu { alive_seconds: nanoseconds as f64 * 1e-9, all_seconds: ticks as f64 * TICK_SECONDS })
}

/// Seconds of CPU from one reading to the next: the exact clock, unless it missed threads that ended in between.
pub(crate) fn cpu_between(before: Cpu, after: Cpu) -> f64 {
    let alive = after.alive_seconds - before.alive_seconds;
    let all = after.all_seconds - before.all_seconds;
    if (all - alive).abs() > ROUNDING_SECONDS { all } else { alive }
}

/// User and system time; they follow the program's name, which may itself hold spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Forgets the peak of memory so far, so that [`peak_bytes`] speaks of what follows.
pub(crate) fn reset_peak() {
    // Where this is refused, peaks are those of the whole run: an upper bound, still true.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Most memory resident since the last reset.
pub(crate) fn peak_bytes() -> Option<u64> {
    field_bytes(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Memory resident now.
pub(crate) fn resident_bytes() -> Option<u64> {
    field_bytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Bytes that this process has caused to be written to a disk, in whole pages.
pub(crate) fn disk_bytes() -> Option<u64> {
    let io = fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("write_bytes:"))?.trim().parse().ok()
}

fn field_bytes(status: &str, field: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_nasty_program_name() {
        assert_eq!(ticks("7 (a) b) R 1 7 7 0 -1 0 0 0 0 0 120 30 0 0 20"), Some(150));
        assert_eq!(field_bytes("VmPeak:\t9 kB\nVmHWM:\t    12 kB\n", "VmHWM:"), Some(12 * 1024));
    }

    #[test]
    fn ticks_count_only_when_threads_went_missing() {
        let cpu = |alive_seconds, all_seconds| Cpu { alive_seconds, all_seconds };
        assert_eq!(cpu_between(cpu(1.0, 1.0), cpu(1.125, 1.14)), 0.125);
        assert_eq!(cpu_between(cpu(1.0, 1.0), cpu(1.125, 1.5)), 0.5);
    }
}
