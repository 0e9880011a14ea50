//! [`Console`]: where `print()` writes and where warnings go.

/// What a person reads. A warning is for something that needs attention but loses nothing by itself.
pub trait Console: Send + Sync {
    /// Writes `text` to the program's output, as it is.
    fn print(&self, text: &str);
    /// Reports `message`, one sentence without a line end.
    fn warn(&self, message: &str);
}
