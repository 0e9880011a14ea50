//! Against a real Redis, which the tests start by `scripts/servers/redis`, each one of its own:
//! `scripts/servers/redis/setup && cargo test -p headwater-redis --test it -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "tests start servers")]

mod conformance;
mod crashes;
mod failures;
mod ledger;
mod look_up;
mod server;
