//! Readers of what users bring: weather, price, carbon and request files become one simulated year, NetBox's device and rack
//! types become parts.
//!
//! Every reader is a pure function from bytes to values on the year of `model::scenario`: 365 days in the site's
//! standard time, 1 January being a Monday. What was done to a file on the way (gaps, leap days, zones, daylight
//! saving, repetition) is told in an `InputReport`; what cannot be used is refused with the line and column.
//!
//! How a file lands on the year, whatever it holds:
//!
//! - A row goes to its month, day and hour; its year is ignored, so that files in UTC wrap round the year's edges.
//!   29 February is left out. Where a file has several years, the first value for each hour is used.
//! - A moment with an offset, or in a column whose name says UTC, is moved to the site's standard time. A naive one is
//!   taken as the site's wall clock: daylight saving is undone if the file shows it (one hour missing, another twice).
//! - A file must cover 90 % of the year. Gaps of at most 6 hours are interpolated, longer ones are taken from the same
//!   hour of the nearest days.
//! - Rows 1 to 60 minutes apart keep their interval if it is a whole fraction of an hour; weather becomes hourly.
//!
//! Never: panics, whatever the bytes; holds more than a small multiple of a file, whose size is limited below; opens a
//! file, but for [`read_file`].
//!
//! Read `text` and `table` first (bytes become rows), then `time` and `clock` (rows find their moment), `year` and `gap`
//! (moments find their place), then the readers: `weather` with `epw` and `open_meteo`, `price`, `carbon`, and
//! `request` with `repeat`, `azure`, `mooncake` and `servegen`; `request_list` reads the same traces request by request.
//! `served` reads tables of serving points. `netbox` stands by itself.

mod azure;
mod carbon;
mod clock;
mod epw;
mod error;
mod gap;
mod mooncake;
mod netbox;
mod open_meteo;
mod price;
mod repeat;
mod report;
mod request;
mod request_list;
mod served;
mod servegen;
mod stamped;
mod table;
mod text;
mod time;
mod weather;
mod year;

pub use carbon::{carbon, factor};
pub use error::{Error, Problem};
pub use mooncake::BLOCK_TOKENS;
pub use netbox::netbox;
pub use price::prices;
pub use request::requests;
pub use request_list::{Named, RequestList, request_list};
pub use served::{POINTS_BYTES_MAX, PointRow, Points, points};
pub use text::read_file;
pub use weather::weather;

/// Most bytes of a weather file: EPW rows of a year, 15 minutes apart, are 6.5 MB.
pub const WEATHER_BYTES_MAX: u64 = 8 << 20;
/// Most bytes of a price or carbon file: a year of five-minute rows of 500 bytes.
pub const SERIES_BYTES_MAX: u64 = 64 << 20;
/// Most bytes of a request trace: five million requests of 100 bytes.
pub const TRACE_BYTES_MAX: u64 = 512 << 20;
/// Most bytes of a file of parts: NetBox's whole library of one maker is smaller.
pub const PARTS_BYTES_MAX: u64 = 1 << 20;
/// Most requests of a trace: their moments are kept at 8 bytes each, 40 MB.
pub const REQUESTS_MAX: u32 = 5_000_000;
/// Most different blocks of prefix that are remembered: 16 million at 20 bytes are 320 MB.
pub const BLOCKS_MAX: usize = 16_000_000;
/// Most series of a rate file that are added up, each over the whole year.
pub const RATE_SERIES_MAX: usize = 1_000;
/// Longest line, bytes: the longest honest one is a request with a thousand blocks.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Longest trace: longer ones are a unit mistaken, and would need many bins.
pub const TRACE_YEARS_MAX: u32 = 10;
/// Least share of the year's hours that a file must cover; a whole month may be missing.
pub const COVERAGE_MIN: f64 = 0.9;
/// Longest gap that is bridged by a straight line: beyond a quarter of a day its middle would be invented.
pub const INTERPOLATED_HOURS_MAX: u32 = 6;
/// A trace shorter than this does not show the day's shape, which the caller's weekly shape then gives.
pub const WHOLE_DAY_HOURS_MIN: f64 = 20.0;
/// Largest share of rows out of order that is put right; beyond it the time column is something else.
pub const DISORDER_MAX: f64 = 0.1;
/// Largest share of rows with the moment of another; beyond it the file holds several places or products.
pub const DUPLICATES_MAX: f64 = 0.01;
/// A weather station farther from the site than this is remarked upon, km.
pub const STATION_DISTANCE_KM: f64 = 300.0;
/// A weather station higher or lower than the site by more than this is remarked upon, m: 2 K of dry bulb.
pub const STATION_HEIGHT_M: f64 = 300.0;
