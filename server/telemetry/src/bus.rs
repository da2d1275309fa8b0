//! The exchange's bus: messages out and in over MQTT 3.1.1, whatever broker is at the other end.
//!
//! Never: looks into a message, keeps more than its bounds, or gives up. A bus that is down is a state, and is tried
//! again; what could not be kept for lack of room is counted and told.
//!
//! Read `mqtt` next, then `broker`.

pub mod broker;
pub mod mqtt;

use async_trait::async_trait;
use tokio::sync::watch;

/// A message on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub topic: String,
    /// What; empty takes back what was retained.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for those who come later.
    pub retain: Retain,
}

/// Whether a message is kept by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// It passes.
    Passing,
    /// It is kept. As it arrives, this means that it was kept from before.
    Kept,
}

/// What comes from a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// A message.
    Message(Message),
    /// Messages that were let go because we were behind, or because they were too large.
    Lost {
        /// How many.
        messages: u64,
    },
    /// The broker does not let us read something.
    Refused {
        /// What was asked for.
        filter: String,
        /// What it said.
        why: String,
        /// Which time it was reached.
        times: u64,
    },
}

/// How a bus is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It has not answered yet.
    Connecting,
    /// It answers.
    Up {
        /// How often it was reached, this time with it: whoever publishes what is retained does so again when it grows.
        times: u64,
    },
    /// It does not.
    Down {
        /// Why, in words.
        why: String,
        /// What to do about it.
        mend: String,
    },
}

/// What is asked of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Filters, the best first: the first that the broker allows stands.
    pub filters: Vec<String>,
    /// Whether a broker that allows none of them is told of.
    pub need: Need,
}

/// How much something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it there is nothing to read.
    Must,
    /// It may be missing.
    May,
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus is down; it is being tried again.
    #[error("the bus is down: {0}")]
    Down(String),
    /// It can't be sent at all.
    #[error("message can't be sent: {0}")]
    Unsendable(String),
}

/// A bus of messages.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Asks for messages, in the order given, now and after each reconnection: what is asked for first is answered first.
    async fn subscribe(&self, wanted: Vec<Wanted>);
    /// Sends a message.
    async fn publish(&self, message: Message) -> Result<(), BusError>;
    /// The next of what comes; waits for it. Safe to be dropped while it waits.
    async fn next(&self) -> Arrived;
    /// How the bus is, now and from now on.
    fn link(&self) -> watch::Receiver<Link>;
}
