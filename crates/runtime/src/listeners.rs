//! Listening to a program, before and behind its start: who is registered hears of batches, outputs and receivers.

use crate::context::StreamingContext;
use crate::running::RunningContext;
use crate::scheduler::{ListenerHandle, Registered};
use headwater_core::Result;
use headwater_core::listener::StreamingListener;
use std::panic::Location;

impl StreamingContext {
    /// Adds a listener, which hears of everything from [`StreamingStarted`]
    /// on. Listeners are called in the order in which they were added. They are dropped when the context has stopped
    /// and all that was posted is delivered. Source: Spark's `addStreamingListener`.
    ///
    /// [`StreamingStarted`]: headwater_core::listener::StreamingEvent::StreamingStarted
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// ssc.queue_stream(&RddQueue::<u64>::new()).print();
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.add_streaming_listener(move |event: &StreamingEvent| sent.send(event.name()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// running.stop()?;
    /// assert_eq!(received.iter().collect::<Vec<_>>(), [
    ///     "StreamingStarted",
    ///     "BatchSubmitted",
    ///     "BatchStarted",
    ///     "OutputOperationStarted",
    ///     "OutputOperationCompleted",
    ///     "BatchCompleted",
    /// ]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn add_streaming_listener(&self, listener: impl StreamingListener) -> ListenerHandle {
        self.listeners.add(Registered::new(listener, Location::caller()))
    }
    /// Removes a listener; whether it was there. Source: Spark's `removeStreamingListener`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, _clock) = testkit::streaming_context();
    /// let listener = ssc.add_streaming_listener(|event: &StreamingEvent| println!("{event:?}"));
    /// assert!(ssc.remove_streaming_listener(&listener));
    /// assert!(!ssc.remove_streaming_listener(&listener));
    /// ```
    pub fn remove_streaming_listener(&self, listener: &ListenerHandle) -> bool {
        self.listeners.remove(listener)
    }
}

impl RunningContext {
    /// Adds a listener to a running context. It hears of what is posted from here on; of a batch that was submitted
    /// while nobody listened nothing is posted. An error when the context has stopped, when the system has no thread
    /// for the first listener, or when 1,000 listeners wait to be added because another one does not come back.
    ///
    /// ```
    /// use headwater::{listener::StreamingEvent, prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// ssc.queue_stream(&RddQueue::<u64>::new()).print();
    /// let running = ssc.start()?;
    /// let (sent, completed) = std::sync::mpsc::channel();
    /// running.add_streaming_listener(move |event: &StreamingEvent| {
    ///     if let StreamingEvent::BatchCompleted(batch) = event {
    ///         sent.send(batch.batch_time).unwrap();
    ///     }
    /// })?;
    /// clock.advance(seconds(1));
    /// assert_eq!(completed.recv().unwrap(), Time::from_millis(1000));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn add_streaming_listener(&self, listener: impl StreamingListener) -> Result<ListenerHandle> {
        self.running.handle.listeners.add(Registered::new(listener, Location::caller()))
    }
    /// Removes a listener that was added before or behind the start; whether it was there. It gets no event from here
    /// on, also none that waits; if it has one in hand, it ends with that. Then it is dropped.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// ssc.queue_stream(&RddQueue::<u64>::new()).print();
    /// let (sent, received) = std::sync::mpsc::channel();
    /// let listener = ssc.add_streaming_listener(move |event: &StreamingEvent| sent.send(event.name()).unwrap());
    /// let running = ssc.start()?;
    /// assert_eq!(received.recv().unwrap(), "StreamingStarted");
    /// assert!(running.remove_streaming_listener(&listener));
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// assert_eq!(received.iter().count(), 0);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn remove_streaming_listener(&self, listener: &ListenerHandle) -> bool {
        self.running.handle.listeners.remove(listener)
    }
    /// How many events were dropped so far, because
    /// [`Conf::listener_queue_max`](crate::Conf::listener_queue_max) of them waited for the listeners.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::TestEnv};
    /// let env = TestEnv::new();
    /// let conf = Conf::new().master("local[1]").listener_queue_max(1);
    /// let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
    /// ssc.queue_stream(&RddQueue::<u64>::new()).print();
    /// let ((begun, begin), (go, gate)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    /// ssc.add_streaming_listener(move |_: &StreamingEvent| {
    ///     begun.send(()).unwrap();
    ///     let _opened = gate.recv();
    /// });
    /// let running = ssc.start()?;
    /// begin.recv().unwrap();
    /// // With the first event in hand, and the next one waiting, there is no room for the other four of a batch.
    /// env.clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// assert_eq!(running.dropped_events(), 4);
    /// drop(go);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn dropped_events(&self) -> u64 {
        self.running.handle.listeners.dropped()
    }
}
