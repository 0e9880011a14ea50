//! Two applications, or two processes, that write at one place by the name of one output: whoever is too late hears why.

use crate::lives::Application;
use crate::simulated_disk::Fault;
use headwater::sink::Sink;
use headwater::{Error, ErrorKind};
use headwater_files::{FileSink, formats::TextLines};

const SINKS: [fn() -> Box<dyn Sink<u64>>; 2] =
    [|| Box::new(FileSink::text("out/numbers")), || Box::new(FileSink::table("out", TextLines).compact(9))];

#[track_caller]
fn says_who(error: &Error, context: &str) {
    let context = format!("{context}: {error}");
    assert_eq!(error.kind(), ErrorKind::Fenced, "{context}");
    let error = error.to_string();
    assert!(
        error.contains("another application, or another process of this one, has taken over out/_headwater/"),
        "{context}"
    );
    assert!(error.contains("give one of the two outputs another name by `.uid(\"...\")`"), "{context}");
}

#[test]
fn an_application_that_another_one_overtakes_at_any_step_is_told_who_and_what_to_do() {
    for sink in SINKS {
        for step in 1..=Application::new(sink).live(None, 1).0.steps() {
            let application = Application::new(sink);
            let other = application.another("another", "out");
            // It is ended before it has a batch, which would be one that somebody else has written.
            let overtaking = Fault::Meanwhile(Box::new(move || {
                let begun = other.live(Some((24, Fault::CrashBefore)), 1);
                assert!(begun.0.has_ended());
            }));
            if let Err(error) = application.live(Some((step, overtaking)), 1).1 {
                says_who(&error, &format!("overtaken at {step}"));
            }
        }
    }
}

#[test]
fn a_start_that_another_one_comes_into_the_way_of_at_any_two_steps_goes_well_or_is_told_who() {
    for sink in SINKS {
        for step in 1..=30 {
            for ended in 1..=24 {
                let application = Application::new(sink);
                // So that there is something to move away.
                application.live(Some((14, Fault::CrashBefore)), 1).1.unwrap_err();
                let other = application.another("another", "out");
                let other = Fault::Meanwhile(Box::new(move || drop(other.live(Some((ended, Fault::CrashAfter)), 1))));
                if let Err(error) = application.live(Some((step, other)), 1).1 {
                    says_who(&error, &format!("{ended} steps at {step}"));
                }
            }
        }
    }
}
