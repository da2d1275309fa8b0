//! Notes: what a check found. A note has a severity, a place and a kind with its figures; `Display` makes the words.

use crate::quantity::{Bytes, Power, Ratio, Temperature};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works, but costs something.
    Warning,
    /// Can't be built or run as drawn.
    Error,
}

/// Something found about a design, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// Where: `hall "A" › row "1"`, `power "ups"`.
    pub place: String,
    /// What.
    pub kind: Kind,
}

/// What was found, with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = NoteKind))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// The catalog has no such row.
    UnknownPart {
        /// Which list was searched.
        list: String,
        /// The name that is not in it.
        name: String,
        /// The nearest name that is.
        nearest: Option<String>,
    },
    /// A part of the design's own whose figures can't be.
    BadPart {
        /// Which list it stands in.
        list: String,
        /// Its name in the design.
        part: String,
        /// What is wrong, in words.
        what: String,
    },
    /// A name in this design leads nowhere.
    UnknownName {
        /// What was looked for: `power group`, `cooling loop`.
        list: String,
        /// The name that leads nowhere.
        name: String,
    },
    /// Two things have one name.
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The power tree is not a tree.
    NotATree {
        /// What is wrong, in words.
        reason: String,
    },
    /// A part stands where its kind can't.
    WrongKind {
        /// The part.
        part: String,
        /// What was needed.
        needed: String,
    },
    /// A figure is out of range.
    OutOfRange {
        /// Its name in the file.
        field: String,
        /// What was written.
        value: f64,
        /// Smallest that makes sense.
        low: f64,
        /// Largest that makes sense.
        high: f64,
    },
    /// There is nothing that makes tokens.
    NoCompute,
    /// More asked of a power group than it can promise.
    FeedOverload {
        /// What it can promise with its redundancy kept.
        firm: Power,
        /// What is asked of it.
        asked: Power,
        /// Units of the same part that would do.
        units_needed: u32,
    },
    /// The facility's highest draw is above its contract.
    ContractExceeded {
        /// The contract.
        contract: Power,
        /// The draw with everything busy on the hottest hour.
        asked: Power,
    },
    /// The loop can't reject the heat on the hottest hour.
    CoolingShort {
        /// Heat to reject.
        heat: Power,
        /// Heat it can reject with its redundancy kept.
        capacity: Power,
        /// Outside dry bulb then.
        outside: Temperature,
    },
    /// Nothing makes the water as cold as its set-point.
    SupplyNotHeld {
        /// The set-point.
        set_point: Temperature,
        /// What the supply comes to.
        supply: Temperature,
        /// Outside dry bulb then.
        outside: Temperature,
    },
    /// The rows need more floor than the hall has.
    FloorTooSmall {
        /// Floor of the hall, m².
        has_m2: f64,
        /// What its rows, aisles and clearance need, m².
        needs_m2: f64,
    },
    /// Racks stand where columns do.
    ColumnInTheWay {
        /// How many racks.
        racks: u32,
    },
    /// CDUs or fan walls too small.
    TerminalShort {
        /// Heat to move.
        heat: Power,
        /// What they can move with their redundancy kept.
        capacity: Power,
        /// Units of the same part that would do.
        units_needed: u32,
    },
    /// Water warmer than the rack accepts.
    SupplyTooWarm {
        /// Its set-point.
        supply: Temperature,
        /// What the rack accepts.
        limit: Temperature,
        /// The rack.
        rack: String,
    },
    /// Racks with liquid heat in a hall with no liquid loop.
    NoLiquidLoop {
        /// The rack.
        rack: String,
    },
    /// More racks than positions.
    NoSpace {
        /// Positions.
        positions: u32,
        /// Racks.
        racks: u32,
    },
    /// More tray units than a rack holds.
    RackFull {
        /// The rack.
        rack: String,
        /// Units it has.
        has: f64,
        /// Units asked.
        asked: f64,
    },
    /// Trays that find no room where they are put, though the rack has units enough.
    NoRoomForTray {
        /// The tray.
        tray: String,
        /// Its name in designs.
        part: String,
        /// The unit at which it was to stand; absent where any would do.
        at_unit: Option<f64>,
        /// The rack.
        rack: String,
        /// How many of them.
        count: u32,
    },
    /// Trays that may draw more than their rack is fed.
    RackOverload {
        /// The rack.
        rack: String,
        /// What it is fed.
        rated: Power,
        /// What its trays may draw.
        asked: Power,
    },
    /// The model does not fit in the GPUs that can share it.
    ModelTooLarge {
        /// The model.
        model: String,
        /// Weights.
        weights: Bytes,
        /// Memory of the largest group of GPUs that can share them.
        memory: Bytes,
        /// The GPU.
        gpu: String,
    },
    /// No batch meets the targets for time to first token and between tokens.
    TargetsMissed {
        /// Best time between tokens, milliseconds.
        tpot_ms: f64,
        /// Target.
        tpot_target_ms: f64,
        /// Best time to first token, milliseconds.
        ttft_ms: f64,
        /// Target.
        ttft_target_ms: f64,
    },
    /// The power cap is outside what the board accepts.
    CapOutOfRange {
        /// The cap.
        cap: Power,
        /// Lowest accepted.
        low: Power,
        /// Highest accepted.
        high: Power,
    },
    /// One unit carries everything.
    SinglePointOfFailure {
        /// The part.
        part: String,
    },
    /// A part is announced, not sold.
    Announced {
        /// The part.
        part: String,
    },
    /// Power provisioned and not usable.
    Stranded {
        /// How much.
        power: Power,
        /// Of the contract.
        share: Ratio,
        /// Why, in words.
        cause: String,
    },
    /// Demand that the fleet could not serve.
    Unserved {
        /// Of all tokens asked for.
        share: Ratio,
    },
    /// Supply water warmer than its set-point.
    SupplyFloats {
        /// Hours in which it is, by more than half a kelvin.
        hours: f64,
        /// The set-point.
        set_point: Temperature,
    },
    /// Hours in which heat or power held the fleet back.
    Derated {
        /// How many.
        hours: f64,
        /// What held it: `cooling` or `power`.
        cause: String,
    },
}

impl Note {
    /// What would mend it, where one thing is known to.
    pub fn mend(&self) -> Option<String> {
        match &self.kind {
            Kind::UnknownPart { nearest, .. } => nearest.as_ref().map(|n| format!("did you mean \"{n}\"?")),
            Kind::FeedOverload { units_needed, .. } | Kind::TerminalShort { units_needed, .. } => {
                Some(format!("install {units_needed} units"))
            }
            Kind::ContractExceeded { contract, asked } => {
                Some(format!("cap the GPUs, remove racks, or raise the contract by {}", mw(*asked - *contract)))
            }
            Kind::CoolingShort { heat, capacity, .. } => Some(format!(
                "add {:.0}% more rejection capacity, a chiller, or a warmer set-point",
                ((*heat / *capacity - 1.0) * 100.0).max(1.0)
            )),
            Kind::SupplyTooWarm { limit, .. } => {
                Some(format!("set the supply to {:.0} °C or less", limit.as_celsius()))
            }
            Kind::SupplyNotHeld { supply, .. } => Some(format!(
                "add coolers or a chiller, or set the supply to {:.0} °C or more",
                supply.as_celsius().ceil()
            )),
            Kind::FloorTooSmall { needs_m2, .. } => Some(format!("give the hall {:.0} m² of floor", needs_m2.ceil())),
            Kind::ColumnInTheWay { .. } => Some("move the rows, or change the aisles".into()),
            Kind::NoLiquidLoop { .. } => Some("give the hall a `liquid` loop with CDUs".into()),
            Kind::NoSpace { positions, racks } => Some(format!("remove {} racks or add a hall", racks - positions)),
            Kind::NoRoomForTray { .. } => {
                Some("move it to free units, or leave its unit out and the lowest free one is taken".into())
            }
            Kind::RackFull { .. } | Kind::RackOverload { .. } => Some("take trays out, or choose a larger rack".into()),
            Kind::ModelTooLarge { .. } => {
                Some("choose a smaller number format, a smaller model, or larger racks".into())
            }
            Kind::TargetsMissed { .. } => Some("loosen `tpot_s` or `ttft_s`, or choose faster GPUs".into()),
            Kind::CapOutOfRange { low, high, .. } => {
                Some(format!("choose a cap of {:.0} to {:.0} W", low.as_watts(), high.as_watts()))
            }
            Kind::SinglePointOfFailure { .. } => Some("install another unit and set `redundancy = \"n+1\"`".into()),
            Kind::NoCompute => Some("add racks with GPUs to a hall".into()),
            Kind::BadPart { .. }
            | Kind::UnknownName { .. }
            | Kind::DuplicateName { .. }
            | Kind::NotATree { .. }
            | Kind::WrongKind { .. }
            | Kind::OutOfRange { .. }
            | Kind::Announced { .. }
            | Kind::Stranded { .. }
            | Kind::Unserved { .. }
            | Kind::Derated { .. } => None,
            Kind::SupplyFloats { .. } => Some("add rejection or a chiller, or raise the set-point".into()),
        }
    }
}

/// A power to three significant figures, in kW below a megawatt.
fn mw(power: Power) -> String {
    let (value, unit) =
        if power.as_megawatts().abs() >= 0.9995 { (power.as_megawatts(), "MW") } else { (power.as_kilowatts(), "kW") };
    let decimals = match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind)?;
        self.mend().map_or(Ok(()), |mend| write!(f, "; {mend}"))
    }
}

impl fmt::Display for Kind {
    #[expect(clippy::too_many_lines, reason = "one arm a kind; the words stand together")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPart { list, name, .. } => write!(f, "the catalog has no {list} \"{name}\""),
            Self::BadPart { list, part, what } => write!(f, "the design's own {list} \"{part}\" can't be: {what}"),
            Self::UnknownName { list, name } => write!(f, "the design has no {list} \"{name}\""),
            Self::DuplicateName { name } => write!(f, "\"{name}\" is named twice"),
            Self::NotATree { reason } => write!(f, "the power groups are not a tree: {reason}"),
            Self::WrongKind { part, needed } => write!(f, "\"{part}\" is not {needed}"),
            Self::OutOfRange { field, value, low, high } => {
                write!(f, "`{field}` is {value}, but must be {low} to {high}")
            }
            Self::NoCompute => f.write_str("there are no GPUs, so there are no tokens"),
            Self::FeedOverload { firm, asked, .. } => write!(
                f,
                "asked for {}, but can promise {} with its redundancy kept, {} short",
                mw(*asked),
                mw(*firm),
                mw(*asked - *firm)
            ),
            Self::ContractExceeded { contract, asked } => write!(
                f,
                "the facility may draw {} on its hottest busy hour, {} above its contract of {}",
                mw(*asked),
                mw(*asked - *contract),
                mw(*contract)
            ),
            Self::CoolingShort { heat, capacity, outside } => write!(
                f,
                "must reject {}, but can reject {} at {:.1} °C outside, {} short",
                mw(*heat),
                mw(*capacity),
                outside.as_celsius(),
                mw(*heat - *capacity)
            ),
            Self::SupplyNotHeld { set_point, supply, outside } => write!(
                f,
                "at {:.1} °C outside the supply comes to {:.1} °C, above its set-point of {:.1} °C",
                outside.as_celsius(),
                supply.as_celsius(),
                set_point.as_celsius()
            ),
            Self::FloorTooSmall { has_m2, needs_m2 } => {
                write!(f, "its rows, aisles and clearance need {needs_m2:.0} m², its floor has {has_m2:.0} m²")
            }
            Self::ColumnInTheWay { racks } => write!(f, "{racks} racks stand where a column does"),
            Self::TerminalShort { heat, capacity, .. } => {
                write!(f, "must move {}, but can move {}, {} short", mw(*heat), mw(*capacity), mw(*heat - *capacity))
            }
            Self::SupplyTooWarm { supply, limit, rack } => write!(
                f,
                "supplies water at {:.1} °C, but {rack} takes at most {:.1} °C",
                supply.as_celsius(),
                limit.as_celsius()
            ),
            Self::NoLiquidLoop { rack } => write!(f, "{rack} gives heat to liquid, but the hall has no liquid loop"),
            Self::NoSpace { positions, racks } => write!(f, "{racks} racks in {positions} positions"),
            Self::RackFull { rack, has, asked } => {
                write!(f, "{rack} has {has} units of height, its trays need {asked}")
            }
            Self::NoRoomForTray { tray, rack, count, .. } => {
                write!(f, "{count} × {tray} finds no room in {rack}: its units are taken, or end")
            }
            Self::RackOverload { rack, rated, asked } => {
                write!(f, "{rack} is fed {}, its trays may draw {}", mw(*rated), mw(*asked))
            }
            Self::ModelTooLarge { model, weights, memory, gpu } => write!(
                f,
                "{model} needs {:.0} GB for its weights, the largest group of {gpu} that can share them has {:.0} GB",
                weights.as_gigabytes(),
                memory.as_gigabytes()
            ),
            Self::TargetsMissed { tpot_ms, tpot_target_ms, ttft_ms, ttft_target_ms } => write!(
                f,
                "the targets can't be met: best {tpot_ms:.0} ms between tokens (target {tpot_target_ms:.0}), \
                 {ttft_ms:.0} ms to the first (target {ttft_target_ms:.0})"
            ),
            Self::CapOutOfRange { cap, .. } => write!(f, "the board does not accept a cap of {:.0} W", cap.as_watts()),
            Self::SinglePointOfFailure { part } => write!(f, "one {part} carries everything behind it"),
            Self::Announced { part } => write!(f, "{part} is announced, not yet sold; its figures may change"),
            Self::Stranded { power, share, cause } => {
                write!(
                    f,
                    "{} of what is installed to feed racks can't be used, as much as {:.0}% of the contract: {cause}",
                    mw(*power),
                    share.as_percent()
                )
            }
            Self::Unserved { share } => write!(f, "{:.1}% of the tokens asked for were not served", share.as_percent()),
            Self::SupplyFloats { hours, set_point } => write!(
                f,
                "the largest loop's supply was above its set-point of {:.1} °C for {hours:.0} hours",
                set_point.as_celsius()
            ),
            Self::Derated { hours, cause } => write!(f, "{cause} held the fleet back for {hours:.0} hours"),
        }
    }
}
