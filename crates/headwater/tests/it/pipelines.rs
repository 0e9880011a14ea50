//! Random sequences of operators, with and without tasks that fail: the result depends on neither the engine, the number
//! of its threads, nor on what failed on the way.

mod failing;
mod random;
mod step;
