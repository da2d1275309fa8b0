//! Live telemetry: NVML, Prometheus and MQTT in; readings and events out; rules over them.
//!
//! Never: keeps anything on disk but a source's cursor, writes SQL, draws a page, or needs a GPU to be there. Every
//! source goes through one trait; what is wrong with one is its state, never the house's.
//!
//! Read `source` first, then one source.

pub mod source;

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
pub mod xid;
