//! What is asked of a fleet.

use super::fleet::Problem;

/// Most requests of one replay: their state takes some 150 MB.
pub const REQUESTS_MAX: usize = 1_000_000;

/// The latest moment of a request or an event, seconds: some 30 years, which a clock counts to 0.1 µs.
pub const MOMENT_MAX_S: f64 = 1e9;

/// Requests, and the blocks of their prompts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Requests {
    /// The requests, in any order.
    pub list: Vec<Request>,
    /// Hashes of the blocks of all prompts, one request's after another's. Equal hashes stand for equal tokens from the
    /// prompt's first on, so two prompts share what leads both.
    pub blocks: Vec<u64>,
    /// Tokens of a block; a prompt's last may have fewer. 0 where there are no blocks.
    pub block_tokens: u32,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// When it comes.
    pub arrival: Arrival,
    /// Tokens of its prompt; 0 is taken as 1.
    pub input: u32,
    /// Tokens of its answer; 0 is taken as 1.
    pub output: u32,
    /// Where its blocks begin in [`Requests::blocks`].
    pub blocks_from: u32,
    /// How many blocks it has; 0 where nothing is known of its prompt.
    pub blocks_count: u32,
    /// Whom it is answered for.
    pub tenant: u16,
    /// The model that it asks.
    pub model: u16,
    /// Lower is served first.
    pub priority: u8,
}

/// When a request comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrival {
    /// At a moment, seconds.
    At {
        /// The moment.
        at_s: f64,
    },
    /// After another has been answered: the next turn of an agent's loop.
    After {
        /// Index of the other.
        request: u32,
        /// Seconds between: the tool's time.
        pause_s: f32,
    },
}

impl Requests {
    /// The blocks of a request's prompt.
    pub fn blocks_of(&self, request: &Request) -> &[u64] {
        let from = request.blocks_from as usize;
        self.blocks.get(from..from + request.blocks_count as usize).unwrap_or_default()
    }

    /// Whether all times are numbers, all indices point somewhere and no turn follows itself.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.list.len() > REQUESTS_MAX {
            return Err(Problem::TooMany);
        }
        for (index, request) in self.list.iter().enumerate() {
            let good = match request.arrival {
                Arrival::At { at_s } => (0.0..=MOMENT_MAX_S).contains(&at_s),
                Arrival::After { request, pause_s } => {
                    (0.0..=MOMENT_MAX_S).contains(&f64::from(pause_s)) && (request as usize) < self.list.len()
                }
            };
            let end = u64::from(request.blocks_from) + u64::from(request.blocks_count);
            let blocks = end <= self.blocks.len() as u64 && (request.blocks_count == 0 || self.block_tokens > 0);
            if !good || !blocks {
                return Err(Problem::Request { index: index as u32 });
            }
        }
        Ok(())
    }
}

impl Default for Request {
    fn default() -> Self {
        Self {
            arrival: Arrival::At { at_s: 0.0 },
            input: 1,
            output: 1,
            blocks_from: 0,
            blocks_count: 0,
            tenant: 0,
            model: 0,
            priority: 0,
        }
    }
}

impl Request {
    /// Tokens of the prompt, at least one.
    pub(super) fn prompt(&self) -> u32 {
        self.input.max(1)
    }

    /// Tokens of the answer, at least one.
    pub(super) fn answer(&self) -> u32 {
        self.output.max(1)
    }
}
