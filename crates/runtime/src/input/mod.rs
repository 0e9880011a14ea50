//! Built-in inputs. Each is a method of [`StreamingContext`](crate::StreamingContext) beside its source.

mod dead_letter_stream;
mod direct_stream;
mod queue;
mod receiver_thread;
mod reliable_socket_text_stream;
mod socket_receiver;
mod socket_stream;
mod socket_text_stream;

pub use queue::RddQueue;

#[cfg(test)]
mod tests;
