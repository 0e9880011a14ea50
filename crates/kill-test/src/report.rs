//! The last line.

use crate::truth::Difference;
use std::time::Duration;

/// What came of the kills.
pub(crate) struct Report {
    pub(crate) kills: u32,
    pub(crate) difference: Difference,
    /// From the start of a process to the commit of its first batch.
    pub(crate) restarts: Vec<Duration>,
}

impl Report {
    /// Prints it; whether nothing is lost, doubled or wrong.
    pub(crate) fn print(mut self) -> bool {
        self.restarts.sort();
        let Report { kills, difference, restarts } = &self;
        let Difference { lost, doubled, wrong, examples } = difference;
        examples.iter().for_each(|example| println!("{example}"));
        let (p50, p99) = (quantile(restarts, 50), quantile(restarts, 99));
        println!(
            "kills={kills} lost={lost} doubled={doubled} wrong={wrong} restart_p50={p50:.3}s restart_p99={p99:.3}s"
        );
        difference.is_none()
    }
}

/// Of sorted durations, in seconds.
fn quantile(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(f64::NAN, Duration::as_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_few_and_of_none() {
        let seconds: Vec<Duration> = (1..=4).map(Duration::from_secs).collect();
        assert_eq!((quantile(&seconds, 50), quantile(&seconds, 99)), (3.0, 4.0));
        assert!(quantile(&[], 50).is_nan());
    }
}
