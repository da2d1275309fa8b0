//! What things of the fleet are called before a person: plain words first, the field's term beside them.

use crate::format::{self, Figure, Units};
use model::fleet::{Attention, FleetCounts, FleetPlace, Health, LossCause};
use model::metric::{Kind, Metric, Unit};

/// Every state of health, the worst first, as a page lists them.
pub const HEALTHS: [Health; 7] =
    [Health::Failed, Health::Stale, Health::Degraded, Health::HeatHeld, Health::PowerHeld, Health::Idle, Health::Busy];

/// A state of health in a word or two.
pub fn health(health: Health) -> &'static str {
    match health {
        Health::Busy => "working",
        Health::Idle => "idle",
        Health::PowerHeld => "held down by power",
        Health::HeatHeld => "held down by heat",
        Health::Degraded => "degraded",
        Health::Stale => "stale",
        Health::Failed => "failed",
    }
}

/// The same in a sentence, for whoever meets the word for the first time.
pub fn health_about(health: Health) -> &'static str {
    match health {
        Health::Busy => "It works, and nothing is known to be wrong with it.",
        Health::Idle => "It answers and has nothing to do.",
        Health::PowerHeld => "It works slower than it could: a power limit holds its clocks down (power throttling).",
        Health::HeatHeld => "It works slower than it could: heat holds its clocks down (thermal throttling).",
        Health::Degraded => "It works, and something is wrong with it: see what needs a person, and its events.",
        Health::Stale => "Nothing was read of it for too long, so nobody knows how it is.",
        Health::Failed => "It does not answer, or must not be used.",
    }
}

/// Why a GPU's clocks are held down, in words: the bits of NVML's `nvmlClocksEventReasons` (nvml.h).
pub fn clock_events(bits: f64) -> String {
    const REASONS: [(u64, &str); 9] = [
        (0x1, "nothing to do"),
        (0x2, "clocks set by an application"),
        (0x4, "power limit"),
        (0x8, "slowed by hardware"),
        (0x10, "in step with other GPUs"),
        (0x20, "heat, by the driver"),
        (0x40, "heat, by hardware"),
        (0x80, "power brake of the node"),
        (0x100, "clocks of the display"),
    ];
    let bits = bits as u64;
    let mut said: Vec<String> =
        REASONS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, words)| (*words).to_owned()).collect();
    let known = REASONS.iter().fold(0, |all, (bit, _)| all | bit);
    if bits & !known != 0 {
        said.push(format!("bits {:#x}", bits & !known));
    }
    if said.is_empty() { "nothing holds them".into() } else { said.join("; ") }
}

/// The same of a place with several GPUs, which is as its worst part is.
pub fn health_about_all(health: Health) -> &'static str {
    match health {
        Health::Busy | Health::Idle => health_about(health),
        Health::PowerHeld => "A power limit holds the clocks of some of its GPUs down (power throttling).",
        Health::HeatHeld => "Heat holds the clocks of some of its GPUs down (thermal throttling).",
        Health::Degraded => "Something in it is wrong: see what needs a person, and its events.",
        Health::Stale => "Of some of it nothing was read for too long, so nobody knows how that is.",
        Health::Failed => "Some of its GPUs do not answer, or must not be used: the list below has them first.",
    }
}

/// A state of health as addresses and styles have it.
pub fn health_name(health: Health) -> &'static str {
    match health {
        Health::Busy => "busy",
        Health::Idle => "idle",
        Health::PowerHeld => "power-held",
        Health::HeatHeld => "heat-held",
        Health::Degraded => "degraded",
        Health::Stale => "stale",
        Health::Failed => "failed",
    }
}

/// How many GPUs are so.
pub fn count(counts: &FleetCounts, health: Health) -> u32 {
    match health {
        Health::Busy => counts.busy,
        Health::Idle => counts.idle,
        Health::PowerHeld => counts.power_held,
        Health::HeatHeld => counts.heat_held,
        Health::Degraded => counts.degraded,
        Health::Stale => counts.stale,
        Health::Failed => counts.failed,
    }
}

/// What kind of place it is.
pub fn kind(place: &FleetPlace) -> &'static str {
    match place {
        FleetPlace::Fleet => "Fleet",
        FleetPlace::Hall(_) => "Hall",
        FleetPlace::Rack(_) => "Rack",
        FleetPlace::Node(_) => "Node",
        FleetPlace::Gpu(..) => "GPU",
        FleetPlace::Engine(_) => "Serving engine",
        FleetPlace::Source(_) => "Source",
        FleetPlace::Point(_) => "Point of the building",
    }
}

/// A place by its kind and name: `Rack A01`, `GPU 3 of gpu-001`.
pub fn place(place: &FleetPlace) -> String {
    match place {
        FleetPlace::Fleet => "The whole fleet".into(),
        FleetPlace::Gpu(host, index) => format!("GPU {index} of {host}"),
        FleetPlace::Hall(name) if name.eq_ignore_ascii_case("hall") => "Hall".into(),
        FleetPlace::Hall(name) => format!("Hall {}", without("hall", name)),
        FleetPlace::Rack(name) => format!("Rack {}", without("rack", name)),
        FleetPlace::Node(name) | FleetPlace::Engine(name) | FleetPlace::Source(name) | FleetPlace::Point(name) => {
            format!("{} {name}", kind(place))
        }
    }
}

/// A name that says its kind itself needs it no second time: `Hall A` is not `Hall Hall A`.
fn without<'a>(kind: &str, name: &'a str) -> &'a str {
    let says = name.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind));
    let rest = name.get(kind.len()..).unwrap_or_default();
    if says && rest.starts_with(' ') && !rest.trim().is_empty() { rest.trim() } else { name }
}

/// A name as it stands within a sentence: its first letter small, unless it is one of an abbreviation.
pub fn mid_sentence(words: &str) -> String {
    let mut letters = words.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => words.to_owned(),
    }
}

/// Why tokens are missing.
pub fn cause(cause: LossCause) -> &'static str {
    match cause {
        LossCause::Failures => "GPUs missing or failed",
        LossCause::Power => "Held down by power limits",
        LossCause::Cooling => "Held down by heat",
        LossCause::Utilisation => "Nothing to do (utilisation)",
        LossCause::ServingEfficiency => "Fewer tokens from the same work (serving efficiency)",
    }
}

/// A value of a series of a chart. What is counted is drawn as its rate, and says so; joules each second are watts already.
pub fn charted(units: Units, series: &str, unit: Unit, value: f64) -> Figure {
    if series.ends_with("_per_second_per_mw") {
        return format::tokens_per_megawatt(value);
    }
    let is_rate = Metric::named(series).is_some_and(|metric| metric.kind() == Kind::Counter)
        || series.ends_with("_per_second") && unit == Unit::Token;
    match unit {
        Unit::Token if is_rate => format::token_rate(value),
        Unit::Count if is_rate => format::per_second(value),
        // Seconds each second are a share of the time.
        Unit::Second if is_rate => format::percent(value),
        Unit::Watt
        | Unit::Joule
        | Unit::Celsius
        | Unit::Hertz
        | Unit::Ratio
        | Unit::Byte
        | Unit::BytePerSecond
        | Unit::Second
        | Unit::Token
        | Unit::Count
        | Unit::Code
        | Unit::Volt
        | Unit::Ampere
        | Unit::VoltAmpere
        | Unit::CubicMetrePerSecond
        | Unit::Pascal
        | Unit::Other => format::measured(units, unit, value),
    }
}

/// How much needs a person: what nobody has taken on, and apart from it what someone has.
pub fn attention(list: &[Attention]) -> String {
    let taken = list.iter().filter(|one| one.owner.is_some()).count();
    let need = match (list.len() - taken) as u32 {
        0 => "Nothing needs a person".to_owned(),
        many => format!("{} a person", format::things(many, "thing needs", "things need")),
    };
    match taken as u32 {
        0 => need,
        taken => format!("{need}; {} taken on", format::things(taken, "is", "are")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_on_needs_nobody_else() {
        let one = |owner: Option<&str>| Attention {
            alert: String::new(),
            critical: true,
            what: String::new(),
            place: FleetPlace::Fleet,
            since_ms: 0,
            otherwise: String::new(),
            action: String::new(),
            owner: owner.map(Into::into),
        };
        let said = |owners: &[Option<&str>]| attention(&owners.iter().copied().map(one).collect::<Vec<_>>());
        assert_eq!(said(&[]), "Nothing needs a person");
        assert_eq!(said(&[None]), "1 thing needs a person");
        assert_eq!(said(&[None, None, Some("Ada")]), "2 things need a person; 1 is taken on");
        assert_eq!(said(&[Some("Ada"), Some("Bob")]), "Nothing needs a person; 2 are taken on");
    }

    #[test]
    fn a_name_says_its_kind_once() {
        assert_eq!(place(&FleetPlace::Hall("Hall A".into())), "Hall A");
        assert_eq!(place(&FleetPlace::Hall("north".into())), "Hall north");
        assert_eq!(place(&FleetPlace::Rack("rack".into())), "Rack rack");
        assert_eq!(place(&FleetPlace::Rack("ü1".into())), "Rack ü1");
        assert_eq!(place(&FleetPlace::Gpu("n1".into(), "3".into())), "GPU 3 of n1");
    }

    #[test]
    fn a_name_within_a_sentence_keeps_its_abbreviations() {
        assert_eq!(mid_sentence("Memory errors corrected"), "memory errors corrected");
        assert_eq!(mid_sentence("NVLink errors"), "NVLink errors");
        assert_eq!(mid_sentence("GPU"), "GPU");
    }

    #[test]
    fn what_is_counted_is_told_as_a_rate() {
        let said = |series, unit, value| charted(Units::Si, series, unit, value).to_string().replace('\u{202f}', " ");
        assert_eq!(said("engine_output_tokens_total", Unit::Token, 1940.0), "1.94 k tok/s");
        assert_eq!(said("fleet_tokens_per_second_per_mw", Unit::Token, 20_100.0), "20.1 k tok/s/MW");
        assert_eq!(said("gpu_ecc_corrected_total", Unit::Count, 0.2), "0.200 /s");
        assert_eq!(said("gpu_power_violation_seconds_total", Unit::Second, 0.25), "25.0 %");
        assert_eq!(said("engine_requests_running", Unit::Count, 12.0), "12");
        assert_eq!(said("gpu_energy_joules_total", Unit::Watt, 700.0), "700 W");
    }

    #[test]
    fn each_health_is_counted_once() {
        let counts = FleetCounts {
            busy: 1,
            idle: 2,
            power_held: 4,
            heat_held: 8,
            degraded: 16,
            stale: 32,
            failed: 64,
            ..FleetCounts::default()
        };
        assert_eq!(HEALTHS.iter().map(|health| count(&counts, *health)).sum::<u32>(), 127);
    }

    #[test]
    fn why_clocks_are_held_down_is_said_bit_by_bit() {
        assert_eq!(clock_events(0.0), "nothing holds them");
        assert_eq!(clock_events(f64::from(0x24)), "power limit; heat, by the driver");
        assert_eq!(clock_events(f64::from(0x400)), "bits 0x400");
    }
}
