//! Token governance: the address as a workload, and what it takes as rows and sentences.

use crate::asked::{self, Misread, Reading};
use crate::format;
use model::design::Precision;
use model::quantity::Power;
use serde::{Deserialize, Serialize};
use sim::serving::workload::{Careless, Takes, Workload};
use std::ops::RangeInclusive;

/// A kind of work to start from. Its figures are a starting point to be changed, not a measurement.
pub struct Preset {
    /// Its name in addresses.
    pub name: &'static str,
    /// Its name on the page.
    pub words: &'static str,
    /// What it is.
    pub workload: Workload,
}

const CHAT: Workload = Workload {
    turns: 6,
    instructions: 600.0,
    added: 120.0,
    answer: 250.0,
    kept: 1.0,
    cached: 0.9,
    routed: 0.0,
    retried: 0.0,
    tasks_per_s: 50.0,
    precision: Precision::Fp8,
    ttft_s: 2.0,
    tpot_s: 0.05,
};

/// The kinds of work to start from.
pub const PRESETS: [Preset; 4] = [
    Preset { name: "chat", words: "Chat", workload: CHAT },
    Preset {
        name: "agent",
        words: "Agent's loop",
        workload: Workload {
            turns: 20,
            instructions: 6_000.0,
            added: 1_500.0,
            answer: 400.0,
            kept: 0.6,
            routed: 0.5,
            retried: 0.1,
            tasks_per_s: 5.0,
            ..CHAT
        },
    },
    Preset {
        name: "rag",
        words: "Answers from documents (RAG)",
        workload: Workload {
            turns: 1,
            instructions: 800.0,
            added: 6_000.0,
            answer: 300.0,
            cached: 0.5,
            tasks_per_s: 50.0,
            ..CHAT
        },
    },
    Preset {
        name: "batch",
        words: "Batch",
        workload: Workload {
            turns: 1,
            instructions: 400.0,
            added: 2_000.0,
            answer: 500.0,
            tasks_per_s: 100.0,
            ttft_s: 60.0,
            tpot_s: 0.2,
            ..CHAT
        },
    },
];

/// A question, as the address holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadAsk {
    /// The kind that it was begun from.
    pub kind: String,
    /// The work.
    pub workload: Workload,
    /// GPU, by its catalog name.
    pub gpu: String,
    /// The model.
    pub large: String,
    /// The smaller one that some turns go to.
    pub small: String,
    /// Facility power over IT power.
    pub pue: f64,
    /// Dollars of a kilowatt-hour.
    pub usd_per_kwh: f64,
    /// Tenants and their shares, as `search 40, code 60`.
    pub tenants: String,
    /// What of the address could not be understood, and what stands above in its place.
    pub misread: Vec<Misread>,
}

/// The GPU of a question that names none.
pub const UNASKED_GPU: &str = "h200-sxm";
/// Its model.
pub const UNASKED_LARGE: &str = "llama-3.1-70b";
/// And its smaller one.
pub const UNASKED_SMALL: &str = "llama-3.1-8b";

impl WorkloadAsk {
    /// The question of an address, by its keys. What is missing is that of its kind; what can't be understood too, and is
    /// told.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let mut read = Reading::new(get);
        let kinds = PRESETS.each_ref().map(|preset| (preset.name, preset.name));
        let known = |text: &str| kinds.iter().map(|(name, _)| *name).find(|name| *name == text);
        let kind = read.one_of(("kind", "The kind of work"), &kinds, known, PRESETS[0].name);
        let preset = PRESETS.iter().find(|preset| preset.name == kind).map_or(CHAT, |preset| preset.workload);
        let workload = workload(&mut read, &preset);
        Self {
            kind: kind.to_owned(),
            workload,
            gpu: read.words("gpu", UNASKED_GPU),
            large: read.words("large", UNASKED_LARGE),
            small: read.words("small", UNASKED_SMALL),
            pue: read.number(("pue", "PUE"), 1.0..=5.0, 1.2),
            usd_per_kwh: read.number(("energy", "Energy, $/kWh"), 0.0..=10.0, 0.08),
            tenants: read.words("tenants", ""),
            misread: read.misread(),
        }
    }

    /// Tenants with their shares of the whole.
    ///
    /// # Errors
    /// With the tenant that has no share, or none that can be reckoned with: nobody is left out of a budget in silence.
    pub fn shares(&self) -> Result<Vec<(String, f64)>, String> {
        let mut parts: Vec<(String, f64)> = Vec::new();
        let list = self.tenants.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
        for (at, part) in list.enumerate() {
            let (name, share) = tenant(part).map_err(|why| format!("Tenant {}, “{part}”: {why}", at + 1))?;
            if parts.iter().any(|(other, _)| *other == name) {
                return Err(format!("Tenant {}, “{part}”: {name} has a share already.", at + 1));
            }
            parts.push((name, share));
        }
        if parts.len() > TENANTS_MAX {
            return Err(format!("{} tenants: there can be {TENANTS_MAX}.", parts.len()));
        }
        let sum: f64 = parts.iter().map(|(_, share)| share).sum();
        Ok(parts.into_iter().map(|(name, share)| (name, share / sum)).collect())
    }
}

/// Most tenants of a workload.
const TENANTS_MAX: usize = 50;

/// One tenant with its share: `code 60`, `code: 60%`, `code=60`.
fn tenant(part: &str) -> Result<(String, f64), String> {
    let none = || "it has no share. Write a name and a number above 0, as “code 60”.".to_owned();
    let (name, written) = part.rsplit_once([' ', '=', ':']).ok_or_else(none)?;
    let name = name.trim_end_matches([' ', '=', ':']).trim();
    let share: f64 = written.trim().trim_end_matches('%').parse().map_err(|_| none())?;
    if name.is_empty() {
        return Err("it has no name.".to_owned());
    }
    if share.is_finite() && share > 0.0 {
        Ok((name.to_owned(), share))
    } else {
        Err(format!("its share must be a number above 0, and {written} is none."))
    }
}

/// The work of an address: each of its figures that is not asked is the kind's.
fn workload<G: Fn(&str) -> Option<String>>(read: &mut Reading<G>, kind: &Workload) -> Workload {
    const TOKENS: RangeInclusive<f64> = 0.0..=1e6;
    let share = |read: &mut Reading<G>, named, most: f64, of: f64| {
        // Of percents that a person wrote, no digit more than they have.
        read.number(named, 0.0..=most, (of * 1e6).round() / 1e4) / 100.0
    };
    Workload {
        turns: read.count(("turns", "Turns of a task"), 1_000, kind.turns),
        instructions: read.number(("instructions", "Instructions and tools, tokens"), TOKENS, kind.instructions),
        added: read.number(("added", "New in a turn, tokens"), TOKENS, kind.added),
        answer: read.number(("answer", "Answer of a turn, tokens"), 1.0..=1e6, kind.answer),
        kept: share(read, ("kept", "Kept of the turns before, %"), 100.0, kind.kept),
        cached: share(read, ("cached", "Found in the prefix cache, %"), 100.0, kind.cached),
        routed: share(read, ("routed", "Turns for the smaller model, %"), 100.0, kind.routed),
        retried: share(read, ("retried", "Turns made again, %"), 1_000.0, kind.retried),
        tasks_per_s: read.number(("tasks", "Tasks a second"), 0.0..=1e9, kind.tasks_per_s),
        precision: asked::precision(read, kind.precision),
        ttft_s: read.number(("ttft", "First token within, ms"), 1e-3..=1e7, kind.ttft_s * 1e3) / 1e3,
        tpot_s: read.number(("tpot", "Between tokens, ms"), 1e-3..=1e6, kind.tpot_s * 1e3) / 1e3,
    }
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadShown {
    /// What was asked.
    pub ask: WorkloadAsk,
    /// Names of the GPU and the two models.
    pub names: [String; 3],
    /// What it takes.
    pub takes: Option<Takes>,
    /// Why it can't be served.
    pub refused: Option<String>,
    /// What careless choices cost.
    pub careless: Vec<Careless>,
    /// What had to be assumed of the model's arithmetic, in words; none where nothing was.
    pub assumed: Option<String>,
    /// How far GPU time may truly be off, as factors of it.
    pub band: (f64, f64),
    /// GPUs to choose from: catalog name and name.
    pub gpus: Vec<(String, String)>,
    /// Models to choose from.
    pub models: Vec<(String, String)>,
    /// The review as a sheet to hand on: CSV, a row a figure.
    pub sheet: String,
}

/// The answer in a sentence.
pub fn headline(shown: &WorkloadShown, takes: &Takes) -> String {
    format!(
        "{} a second take {} of the facility: {} a task, for {}.",
        format::things(shown.ask.workload.tasks_per_s.round() as u32, "task", "tasks"),
        format::power(Power::from_megawatts(takes.facility_mw)),
        format::joules(takes.facility_j),
        format::price(takes.usd)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_share_the_whole() {
        let ask = |tenants: &str| WorkloadAsk::of(|key| (key == "tenants").then(|| tenants.to_owned()));
        let shares = ask("search 40, code 60%,\n").shares().unwrap();
        assert_eq!(shares, [("search".to_owned(), 0.4), ("code".to_owned(), 0.6)]);
        assert_eq!(ask(" ").shares(), Ok(vec![]));
        let refused = |tenants: &str| ask(tenants).shares().unwrap_err();
        assert_eq!(
            refused("search 40, code"),
            "Tenant 2, “code”: it has no share. Write a name and a number above 0, as “code 60”."
        );
        assert!(refused("a: 1; b: -3").starts_with("Tenant 2, “b: -3”: its share must be a number above 0"));
        assert!(refused("a 1\nc=x").starts_with("Tenant 2, “c=x”: it has no share."));
        assert!(refused("a 1, a 2").contains("has a share already") && refused("=3").contains("no name"));
        assert!(refused("a nan").contains("above 0"));
        let many: Vec<String> = (0..51).map(|at| format!("t{at} 1")).collect();
        assert_eq!(refused(&many.join(",")), "51 tenants: there can be 50.");
    }

    #[test]
    fn an_address_without_numbers_is_a_kind_of_work() {
        let ask = WorkloadAsk::of(|key| match key {
            "kind" => Some("agent".to_owned()),
            "turns" => Some("many".to_owned()),
            "kept" => Some("25".to_owned()),
            _ => None,
        });
        assert_eq!((ask.workload.turns, ask.workload.kept, ask.workload.routed), (20, 0.25, 0.5));
        let told: Vec<String> = ask.misread.iter().map(ToString::to_string).collect();
        let turns = "“turns=many”: Turns of a task must be a whole number from 1 to 1000. 20 is used instead.";
        assert_eq!(told, [turns]);
    }
}
