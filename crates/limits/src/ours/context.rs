//! The contexts that the engine's side runs in: those of a real application, with a fixed seed for its hash.

use headwater::env::Env;
use headwater::prelude::*;

/// So that all runs spread keys alike.
const HASH_SEED: u64 = 2013;

/// For datasets without a stream, on `local` threads.
pub(super) fn rdds(local: usize) -> RddContext {
    streaming(local, milliseconds(1000), headwater::system_env()).context().clone()
}

pub(super) fn streaming(local: usize, interval: Duration, env: Env) -> StreamingContext {
    StreamingContext::with_env(conf(local), interval, env).expect("the settings are valid")
}

/// As [`streaming`], whose state goes to disk above so many bytes.
pub(super) fn spilling(local: usize, interval: Duration, env: Env, state_bytes: u64) -> StreamingContext {
    let conf = conf(local).state_memory_max(state_bytes);
    StreamingContext::with_env(conf, interval, env).expect("the settings are valid")
}

/// As [`streaming`], with room for any number of dead letters.
pub(super) fn with_dead_letters(local: usize, interval: Duration, env: Env) -> StreamingContext {
    let conf = conf(local).dead_letters_max(u64::MAX).dead_letter_bytes_max(u64::MAX);
    StreamingContext::with_env(conf, interval, env).expect("the settings are valid")
}

fn conf(local: usize) -> Conf {
    // A signal shall end the measuring, not one context of several.
    Conf::new().master(format!("local[{local}]")).hash_seed(HASH_SEED).stop_gracefully_on_shutdown(false)
}
