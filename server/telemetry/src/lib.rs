//! Live telemetry: NVML, Prometheus and MQTT in; readings and events out; rules over them.
//!
//! Never: writes SQL, draws a page, needs a GPU to be there, or keeps anything on disk but a source's cursor, a recording
//! that was asked for, and what waits to be sent on. Every source goes through one trait; what is wrong with one is its
//! state, never the house's.
//!
//! Read `source` first, then one source (`scrape` with `exposition` and `names`, `nvml`, `exchange` over `bus`,
//! `kernel_log`, `query`, `recording`), then what is made of readings (`energy`) and events (`xid`, `burst`, `alert`,
//! `webhook`), then what goes out (`remote_write`, `forward`).

pub mod source;

pub mod address;
pub mod alert;
pub mod burst;
pub mod bus;
pub mod energy;
pub mod exchange;
pub mod exposition;
pub mod forward;
pub mod kernel_log;
pub mod names;
pub mod nvml;
pub mod query;
pub mod recording;
pub mod remote_write;
pub mod scrape;
pub mod webhook;
pub mod xid;
