//! The table of what can be set: every kind of place with its fields, their ranges, defaults and grounds.

use crate::workshop::place::{OwnList, Place};
use model::check::GPUS_MAX;

/// What stands behind a field.
pub(super) enum Kind {
    /// A number: written = shown · scale.
    Number {
        scale: f64,
        low: f64,
        high: f64,
        step: f64,
    },
    /// A number without which the default holds.
    Optional {
        scale: f64,
        low: f64,
        high: f64,
        step: f64,
    },
    Text,
    /// One of these, as written and in words; the first is the default.
    One(&'static [(&'static str, &'static str)]),
    Location,
    Model,
    PowerPart,
    Rack,
    Tray,
    /// A GPU, or none.
    Gpu,
    Terminal,
    Rejection,
    Chiller,
    /// Name of a power group; whether there may be none.
    Group(bool),
    /// Name of a cooling loop; whether there may be none.
    Loop(bool),
}

/// A field: its address below the place, what it is called, its unit, what stands behind it, what it is about.
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) Kind,
    pub(super) &'static str,
);

const fn number(scale: f64, low: f64, high: f64, step: f64) -> Kind {
    Kind::Number { scale, low, high, step }
}

const REDUNDANCY: &[(&str, &str)] = &[
    ("n", "N: every unit is needed"),
    ("n+1", "N+1: one to spare"),
    ("2n", "2N: two whole sides"),
    ("3n/2", "3N/2: three for the work of two"),
];
const PRECISION: &[(&str, &str)] = &[("fp8", "8-bit"), ("bf16", "16-bit"), ("fp4", "4-bit")];
const FACE: &[(&str, &str)] = &[("front", "front"), ("rear", "rear")];
const WIDTH: &[(&str, &str)] = &[("full", "the whole rack"), ("half", "half: two stand side by side")];
const DEPTH: &[(&str, &str)] = &[("full", "the whole rack"), ("half", "half: another may be mounted behind")];
const UNIT: &[(&str, &str)] = &[("u", "U of 44.45 mm"), ("ou", "OU of 48 mm")];

const UNITS: &str = "Installed units, spares included.";
const SITE: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, "What the design is called."),
    Row("/location", "Place", "", Kind::Location, "Climate, grid, tariff and carbon."),
    Row(
        "/contract_power_w",
        "Utility contract",
        "MW",
        number(1e6, 0.001, 1e5, 0.5),
        "Most power that the meter may see.",
    ),
    Row("/house_power_w", "Lighting, offices", "kW", number(1e3, 0.0, 1e6, 10.0), "Drawn at all hours. Default 0."),
];
const SERVICE: &[Row] = &[
    Row("/model", "Language model", "", Kind::Model, "What the facility serves."),
    Row("/precision", "Number format", "", Kind::One(PRECISION), "Of weights and arithmetic. Default fp8."),
    Row(
        "/input_tokens",
        "Prompt",
        "tokens",
        number(1.0, 1.0, 1e7, 50.0),
        "Mean; a request trace's own lengths go before it. Default 1155: Azure LLM inference trace 2023, conversation.",
    ),
    Row(
        "/output_tokens",
        "Answer",
        "tokens",
        number(1.0, 1.0, 1e7, 10.0),
        "Mean; a request trace's own lengths go before it. Default 211: the same trace.",
    ),
    Row(
        "/prefix_cache_hit",
        "Prompt found in cache",
        "%",
        number(0.01, 0.0, 99.9, 5.0),
        "Share of prompt tokens that need no prefill. Default 0.",
    ),
    Row(
        "/ttft_s",
        "Time to first token",
        "s",
        number(1.0, 0.001, 3600.0, 0.1),
        "Longest mean, without waiting for a place. Default 2 s: a planner's usual target.",
    ),
    Row(
        "/tpot_s",
        "Time between tokens",
        "ms",
        number(0.001, 0.1, 60_000.0, 5.0),
        "Longest mean, interruptions by prefill included. Default 50 ms: a planner's usual target.",
    ),
    Row(
        "/demand/peak-share",
        "Busiest hour asks for",
        "% of full work",
        number(0.01, 0.0, 1000.0, 5.0),
        "Requests are scaled so that the year's busiest step asks for this. Default 85.",
    ),
    Row(
        "/demand/scale",
        "Requests of the trace, times",
        "",
        number(1.0, 0.0, 1e9, 0.1),
        "As many requests as the trace has, each this many times.",
    ),
    Row(
        "/power_cap_w",
        "Power limit of each GPU",
        "W",
        Kind::Optional { scale: 1.0, low: 50.0, high: 5000.0, step: 50.0 },
        "Empty means the board's own limit.",
    ),
];
const FINANCE: &[Row] = &[
    Row(
        "/wacc",
        "Cost of capital",
        "% a year",
        number(0.01, 0.0, 100.0, 0.5),
        "Default 8: mid-range of published colocation cost guides, 2025.",
    ),
    Row(
        "/it_life_years",
        "Life of computers",
        "years",
        number(1.0, 0.5, 50.0, 0.5),
        "Default 5: most large operators' filings of 2024 and 2025 say 5 to 6.",
    ),
    Row(
        "/plant_life_years",
        "Life of plant and shell",
        "years",
        number(1.0, 0.5, 100.0, 1.0),
        "Default 20: an estimate of ours.",
    ),
    Row(
        "/building_usd_per_w",
        "Shell, land, engineering",
        "$/W",
        number(1.0, 0.0, 1000.0, 0.1),
        "Of the contract. Default 2.5: published cost guides, less power and cooling plant, which are priced part by part.",
    ),
    Row(
        "/upkeep_share",
        "Upkeep and spares",
        "% a year",
        number(0.01, 0.0, 100.0, 0.5),
        "Of the price of what is kept. Default 2: mid-range of published colocation cost guides, 2025.",
    ),
    Row(
        "/staff_usd_per_w_year",
        "Staff, insurance, tax",
        "$/W a year",
        number(1.0, 0.0, 1000.0, 0.01),
        "Of the contract. Default 0.15: mid-range of the same guides.",
    ),
    Row(
        "/output_price_usd_per_million",
        "Price of output",
        "$/Mtok",
        Kind::Optional { scale: 1.0, low: 0.0, high: 1e6, step: 0.1 },
        "Empty means the model's own row.",
    ),
    Row(
        "/input_price_usd_per_million",
        "Price of prompts",
        "$/Mtok",
        Kind::Optional { scale: 1.0, low: 0.0, high: 1e6, step: 0.1 },
        "Empty means the model's own row.",
    ),
];
const POWER: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, "Others name it to hang on it."),
    Row("/part", "Part", "", Kind::PowerPart, ""),
    Row("/units", "Units", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/redundancy", "Redundancy", "", Kind::One(REDUNDANCY), "How many may fail with the load carried."),
    Row("/fed_by", "Fed by", "", Kind::Group(true), "Just one group is fed by nothing: the service entrance."),
];
const LOOP: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, "Halls name it."),
    Row(
        "/supply_temperature_c",
        "Supply set-point",
        "°C",
        number(1.0, 5.0, 60.0, 1.0),
        "Facility water to the halls. Warmer needs fewer chillers; racks say how warm they accept it.",
    ),
    Row("/rise_k", "Rise", "K", number(1.0, 1.0, 40.0, 1.0), "How much the water warms at design heat. Default 10 K."),
    Row(
        "/pump_head_pa",
        "Pump head",
        "kPa",
        number(1e3, 0.0, 2000.0, 10.0),
        "At design flow. Default 180 kPa: EnergyPlus's comparison plant.",
    ),
    Row("/terminal/part", "CDUs or fan walls", "", Kind::Terminal, "Where heat enters the loop."),
    Row("/terminal/units", "of them", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/terminal/redundancy", "their redundancy", "", Kind::One(REDUNDANCY), ""),
    Row("/rejection/part", "Coolers or towers", "", Kind::Rejection, "Where heat leaves to the outside."),
    Row("/rejection/units", "of them", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/rejection/redundancy", "their redundancy", "", Kind::One(REDUNDANCY), ""),
    Row("/chiller/part", "Chillers", "", Kind::Chiller, "For what the outside can't take."),
    Row("/chiller/units", "of them", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/chiller/redundancy", "their redundancy", "", Kind::One(REDUNDANCY), ""),
    Row(
        "/fed_by",
        "Fed by",
        "",
        Kind::Group(true),
        "Feeds its fans, pumps and chillers. None means the service entrance.",
    ),
];
const HALL: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, ""),
    Row("/count", "Halls like it", "", number(1.0, 1.0, 1e5, 1.0), ""),
    Row("/floor_area_m2", "Floor", "m²", number(1.0, 0.0, 1e7, 50.0), "Of one hall."),
    Row("/positions", "Rack positions", "", number(1.0, 0.0, 1e6, 1.0), "In one hall."),
    Row("/fed_by", "Fed by", "", Kind::Group(false), "The power group that feeds its racks."),
    Row("/liquid", "Liquid loop", "", Kind::Loop(true), "Takes the heat that racks give to liquid."),
    Row("/air", "Air loop", "", Kind::Loop(false), "Takes the heat that racks give to air."),
    Row(
        "/layout/cold_aisle_m",
        "Cold aisle",
        "m",
        number(1.0, 0.0, 20.0, 0.1),
        "Between fronts. Default 1.2 m: two tiles of 600 mm.",
    ),
    Row("/layout/hot_aisle_m", "Hot aisle", "m", number(1.0, 0.0, 20.0, 0.1), "Between backs. Default 1.2 m."),
    Row(
        "/layout/clearance_m",
        "To the walls",
        "m",
        number(1.0, 0.0, 50.0, 0.1),
        "Round the rows. Default 1.8 m, to turn a rack 1.2 m deep.",
    ),
    Row(
        "/layout/column_pitch_m",
        "Column grid",
        "m",
        number(1.0, 0.0, 100.0, 0.5),
        "Both ways; 0 for a hall without columns.",
    ),
];
const ROW: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, ""),
    Row("/count", "Rows like it", "", number(1.0, 1.0, 1e5, 1.0), "In one hall."),
];
const RACK: &[Row] = &[
    Row("/part", "Rack", "", Kind::Rack, ""),
    Row("/count", "In each row", "", number(1.0, 1.0, 1e5, 1.0), ""),
    Row(
        "/power_cap_w",
        "Power limit of each GPU",
        "W",
        Kind::Optional { scale: 1.0, low: 50.0, high: 5000.0, step: 50.0 },
        "Empty means the service's, or the board's own.",
    ),
];
const TRAY: &[Row] = &[
    Row("/part", "Tray", "", Kind::Tray, ""),
    Row("/count", "In each rack", "", number(1.0, 1.0, 1e4, 1.0), "One above the other; half-width ones two by two."),
    Row(
        "/at_unit",
        "Lowest unit",
        "",
        Kind::Optional { scale: 1.0, low: 1.0, high: 128.0, step: 1.0 },
        "Counted from 1 at the foot. Empty means the lowest that is free.",
    ),
    Row("/face", "Mounted at", "", Kind::One(FACE), "Matters for trays of half depth. Default front."),
];
const NAME: Row = Row("/name", "Name", "", Kind::Text, "As lists and drawings show it.");
const SOURCE: Row = Row("/source", "Source", "", Kind::Text, "Where the figures come from. Reports cite it.");
const PRICE: Row = Row("/price_usd", "Price of one", "$", number(1.0, 0.0, 1e10, 100.0), "Installed.");
const RATED: Row = Row(
    "/rated_power_w",
    "Rated power",
    "kW",
    number(1e3, 0.0, 1e6, 0.1),
    "What is provisioned for it: everything in it at its limit.",
);
const OWN_GPU: &[Row] = &[
    NAME,
    Row("/board_power_w", "Board power", "W", number(1.0, 1.0, 20_000.0, 50.0), "At the maker's highest limit."),
    Row("/idle_power_w", "Idle", "W", number(1.0, 1.0, 20_000.0, 5.0), "With a model loaded and no work."),
    Row("/min_power_cap_w", "Lowest limit", "W", number(1.0, 1.0, 20_000.0, 50.0), "That the board accepts."),
    Row("/memory_bytes", "Memory", "GB", number(1e9, 1.0, 1e5, 1.0), "On the package."),
    Row("/memory_bandwidth_bytes_per_s", "Its bandwidth", "TB/s", number(1e12, 0.01, 1e3, 0.1), "Peak."),
    Row("/flops/bf16_flops", "16-bit arithmetic", "Tflop/s", number(1e12, 0.1, 1e6, 10.0), "Dense, peak."),
    Row("/flops/fp8_flops", "8-bit arithmetic", "Tflop/s", RATE, "Dense, peak. Empty where the chip has none."),
    Row("/flops/fp4_flops", "4-bit arithmetic", "Tflop/s", RATE, "Dense, peak. Empty where the chip has none."),
    Row("/link_bandwidth_bytes_per_s", "Scale-up link", "GB/s", number(1e9, 0.1, 1e5, 10.0), "One direction."),
    SOURCE,
];
const RATE: Kind = Kind::Optional { scale: 1e12, low: 0.1, high: 1e6, step: 10.0 };
const OWN_TRAY: &[Row] = &[
    NAME,
    RATED,
    Row(
        "/overhead_idle_w",
        "Without GPUs, idle",
        "W",
        number(1.0, 0.0, 1e6, 10.0),
        "Draw of everything but the GPU boards, with no work.",
    ),
    Row("/overhead_busy_w", "Without GPUs, busy", "W", number(1.0, 0.0, 1e6, 10.0), "The same at full work."),
    Row("/liquid_fraction", "Heat to liquid", "%", number(0.01, 0.0, 100.0, 5.0), "The rest goes to air."),
    Row("/gpu", "GPU", "", Kind::Gpu, "That it carries, if any."),
    Row("/gpu_count", "GPUs", "", number(1.0, 0.0, GPUS_MAX, 1.0), "In one tray."),
    Row(
        "/domain_gpus",
        "GPUs that share links",
        "",
        number(1.0, 0.0, GPUS_MAX, 1.0),
        "Scale-up domain of one tray by itself.",
    ),
    Row(
        "/height_units",
        "Height",
        "units",
        number(1.0, 0.0, 128.0, 0.5),
        "Of its rack. 0 for what stands upright beside them.",
    ),
    Row("/width", "Takes in width", "", Kind::One(WIDTH), ""),
    Row("/depth", "Takes in depth", "", Kind::One(DEPTH), ""),
    Row("/mass_kg", "Mass", "kg", number(1.0, 0.01, 1e5, 1.0), ""),
    PRICE,
    SOURCE,
];
const OWN_RACK: &[Row] = &[
    NAME,
    RATED,
    Row(
        "/supply_temperature_max_c",
        "Warmest water",
        "°C",
        number(1.0, 5.0, 60.0, 1.0),
        "Facility supply at which its full power is cooled.",
    ),
    Row("/height_units", "Room for trays", "units", number(1.0, 1.0, 128.0, 1.0), ""),
    Row("/unit", "Units", "", Kind::One(UNIT), "U of 19-inch racks, OU of 21-inch Open Racks."),
    Row("/height_m", "Height", "m", number(1.0, 0.1, 10.0, 0.01), "Outer."),
    Row("/width_m", "Width", "m", number(1.0, 0.1, 10.0, 0.01), "Outer."),
    Row("/depth_m", "Depth", "m", number(1.0, 0.1, 10.0, 0.01), "Outer."),
    Row("/mass_kg", "Mass", "kg", number(1.0, 1.0, 1e5, 5.0), "Without trays."),
    PRICE,
    SOURCE,
];
const OWN_POWER: &[Row] = &[
    NAME,
    Row("/rated_power_w", "Rated output", "kW", number(1e3, 0.001, 1e6, 10.0), "That it carries without end."),
    Row(
        "/loss/a",
        "Lost with no load",
        "% of rating",
        number(0.01, 0.0, 50.0, 0.05),
        "Loss = a + b·load + c·load²: a.",
    ),
    Row("/loss/b", "Lost with load", "% of rating", number(0.01, 0.0, 50.0, 0.05), "b."),
    Row("/loss/c", "Lost with its square", "% of rating", number(0.01, 0.0, 50.0, 0.05), "c: resistance."),
    Row("/energy_wh", "Stores", "kWh", number(1e3, 0.0, 1e7, 10.0), "Of a battery."),
    PRICE,
    SOURCE,
];
/// Those that a kind of cooling part has not are not shown for it.
const OWN_COOLING: &[Row] = &[
    NAME,
    Row("/heat_capacity_w", "Heat moved", "kW", number(1e3, 0.1, 1e6, 10.0), "At its design conditions."),
    Row("/fan_power_w", "Fans", "kW", number(1e3, 0.0, 1e5, 0.5), "At full speed."),
    Row(
        "/approach_k",
        "Approach",
        "K",
        number(1.0, 0.1, 40.0, 0.5),
        "Water or air supplied above what cools it, at rated heat.",
    ),
    Row("/design_dry_bulb_c", "Outside air at rating", "°C", number(1.0, -30.0, 60.0, 1.0), "Dry bulb."),
    Row("/design_wet_bulb_c", "Wet bulb at rating", "°C", number(1.0, -30.0, 40.0, 1.0), ""),
    Row("/rated_cop", "COP at rating", "", number(1.0, 0.5, 20.0, 0.1), "Heat moved over electricity."),
    PRICE,
    SOURCE,
];

/// Fields that only some of their kind have: they are shown where they are there.
pub(super) const WHERE_THERE: &[&str] = &[
    "/demand/peak-share",
    "/demand/scale",
    "/rejection/units",
    "/rejection/redundancy",
    "/chiller/units",
    "/chiller/redundancy",
    "/fan_power_w",
    "/approach_k",
    "/design_dry_bulb_c",
    "/design_wet_bulb_c",
    "/rated_cop",
];

/// The fields of a kind of place, and the address of one of them.
pub(super) fn table(place: Place) -> (&'static [Row], String) {
    match place {
        Place::Site => (SITE, String::new()),
        Place::Service => (SERVICE, "/service".into()),
        Place::Finance => (FINANCE, "/finance".into()),
        Place::Power(at) => (POWER, format!("/power/{at}")),
        Place::Loop(at) => (LOOP, format!("/cooling/{at}")),
        Place::Hall(at) => (HALL, format!("/hall/{at}")),
        Place::Row(h, r) => (ROW, format!("/hall/{h}/row/{r}")),
        Place::Rack(h, r, k) => (RACK, format!("/hall/{h}/row/{r}/rack/{k}")),
        Place::Tray(h, r, k, t) => (TRAY, format!("/hall/{h}/row/{r}/rack/{k}/trays/{t}")),
        Place::Own(list, at) => {
            let rows = match list {
                OwnList::Gpu => OWN_GPU,
                OwnList::Tray => OWN_TRAY,
                OwnList::Rack => OWN_RACK,
                OwnList::Power => OWN_POWER,
                OwnList::Cooling => OWN_COOLING,
            };
            (rows, format!("/parts/{}/{at}", list.name()))
        }
    }
}
