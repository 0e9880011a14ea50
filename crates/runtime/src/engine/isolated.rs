//! [`IsolatedEngine`]: for tests. Workers that share no memory with the driver build the program for themselves and get
//! their tasks by address; all that crosses crosses as bytes. What runs here can run on a cluster.

mod driver;
mod message;
mod wire;
mod worker;

pub(crate) use driver::IsolatedEngine;
pub(crate) use worker::BuildWorker;
