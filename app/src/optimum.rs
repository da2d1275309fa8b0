//! What the optimizer's page asks and says: the address as a question, the answer as sentences, rows and pictures. Components
//! only show it.

use crate::asked::{Misread, Reading};
use crate::format::{self, Figure};
use chart::{Axis, Cloud, Curve, Role, Scale, Scatter, scatter, scatter_narrow};
use model::design::Redundancy;
use model::optimum::{Choice, DialPoint, Goal, Limits, Onsite, Optimum, OptimumAsk, Point};
use model::quantity::{Power, Temperature};
use sim::board::{CapCurve, MEASURED, Phase};

/// A question to the optimizer, as the address holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimumQuestion {
    /// What is asked.
    pub ask: OptimumAsk,
    /// What of the address could not be understood.
    pub misread: Vec<Misread>,
}

impl OptimumQuestion {
    /// The question of an address, by its keys.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let mut read = Reading::new(get);
        let goals = Goal::ALL.map(|goal| (goal.name(), goal));
        let named = |text: &str| text.parse::<Goal>().ok();
        let goal = read.one_of(("goal", "Best is"), &goals, named, Goal::Tokens);
        let unasked = if goal == Goal::TokensPerJoule { Goal::Tokens } else { Goal::TokensPerJoule };
        let against = read.one_of(("against", "Against"), &goals, named, unasked);
        let with_none = [("none", None)].into_iter().chain(goals.map(|(name, goal)| (name, Some(goal))));
        let third = read.one_of(
            ("third", "And"),
            &with_none.collect::<Vec<_>>(),
            |text| if text == "none" { Some(None) } else { named(text).map(Some) },
            None,
        );
        let mut frontier = vec![goal];
        frontier.extend([Some(against), third].into_iter().flatten().filter(|other| *other != goal));
        frontier.dedup();
        if frontier.len() < 2 {
            frontier.push(unasked);
        }
        let limits = Limits {
            power_mw: read.optional(("power", "Power, MW"), 1e-6..=1e5),
            capex_usd: read.optional(("capex", "To build, million $"), 1e-3..=1e7).map(|millions| millions * 1e6),
            ttft_ms: read.optional(("ttft", "First token within, ms"), 0.001..=1e7),
            tpot_ms: read.optional(("tpot", "Between tokens, ms"), 0.001..=1e6),
        };
        let solar = read.optional(("solar", "Solar, mean output, %"), 0.0..=50.0);
        let shift = read.optional(("shift", "Load that can wait, %"), 0.0..=100.0);
        let onsite = (solar.is_some() || shift.is_some()).then(|| Onsite {
            solar_capacity_factor: solar.map(|percent| percent / 100.0),
            gas: None,
            shift: shift.unwrap_or(0.0) / 100.0,
        });
        let kept = Redundancy::ALL.map(|(name, redundancy)| (name, Some(redundancy)));
        let all: Vec<_> = [("drawn", None)].into_iter().chain(kept).collect();
        let named = |text: &str| all.iter().find(|(name, _)| *name == text).map(|(_, redundancy)| *redundancy);
        let redundancies = read.one_of(("redundancy", "Redundancy may be"), &all, named, None).into_iter().collect();
        Self { ask: OptimumAsk { goal, limits, frontier, redundancies, onsite }, misread: read.misread() }
    }
}

/// A goal in words, as a form has it.
pub fn goal_words(goal: Goal) -> &'static str {
    match goal {
        Goal::Tokens => "most tokens a second",
        Goal::TokensPerJoule => "most tokens for a joule",
        Goal::CostPerMillion => "least cost of a token",
        Goal::RevenuePerMegawatt => "most revenue for a megawatt",
        Goal::CarbonPerMillion => "least carbon of a token",
    }
}

/// What a goal counts, as an axis has it.
pub fn goal_axis(goal: Goal) -> &'static str {
    match goal {
        Goal::Tokens => "Output tokens a second",
        Goal::TokensPerJoule => "Output tokens for a joule at the meter",
        Goal::CostPerMillion => "Cost of a million output tokens",
        Goal::RevenuePerMegawatt => "Revenue a year for a contract megawatt",
        Goal::CarbonPerMillion => "Carbon of a million output tokens",
    }
}

/// A goal's value with its unit.
pub fn goal_figure(goal: Goal, value: f64) -> Figure {
    match goal {
        Goal::Tokens => format::token_rate(value),
        Goal::TokensPerJoule => format::tokens_per_joule(value),
        Goal::CostPerMillion => format::price_per_million(value),
        Goal::RevenuePerMegawatt => format::money(value),
        Goal::CarbonPerMillion => format::carbon_per_million(value),
    }
}

/// A choice in words: `576 racks at 1 309 W a GPU, water at 45.0 °C`.
pub fn choice_words(choice: &Choice) -> String {
    let racks = format::things(choice.racks, "rack", "racks");
    let water = choice.supply_c.map(|c| format!(", water at {}", format::temperature(Temperature::from_celsius(c))));
    let kept = choice.redundancy.map(|redundancy| format!(", feeds {}", redundancy.name().to_uppercase()));
    format!("{racks} at {} a GPU{}{}", watts(choice.cap_w), water.unwrap_or_default(), kept.unwrap_or_default())
}

/// Watts of a GPU, to the watt, as limits are set.
pub fn watts(watts: f64) -> String {
    format!("{}\u{202f}W", format::exact(watts.round()))
}

/// The answer in a sentence.
pub fn headline(found: &Optimum) -> String {
    let goal = found.ask.goal;
    let Some(best) = &found.answer.best else {
        return "Nothing can be run all year within these limits.".to_owned();
    };
    let (value, drawn) = (goal.value(best), goal.value(&found.answer.drawn));
    let change = format::relative_change(value / drawn - 1.0);
    let than = if !(value / drawn).is_finite() {
        "as drawn it makes nothing".to_owned()
    } else if change.is_empty() {
        "the same as drawn".to_owned()
    } else if found.answer.drawn.is_feasible() {
        format!("{change} against the design as drawn")
    } else {
        format!("{change} against the design as drawn, which exceeds its limits")
    };
    format!("{} make {}: {than}.", choice_words(&best.choice), goal_figure(goal, value))
}

/// One line of the design as drawn beside the best choice.
pub struct Beside {
    /// What it is.
    pub name: &'static str,
    /// As drawn.
    pub drawn: String,
    /// At the best choice.
    pub best: String,
    /// By how much it changes.
    pub change: String,
}

/// The design as drawn beside the best choice.
pub fn beside(drawn: &Point, best: &Point) -> Vec<Beside> {
    let line = |name: &'static str, of: &dyn Fn(&Point) -> f64, words: &dyn Fn(f64) -> String| Beside {
        name,
        drawn: words(of(drawn)),
        best: words(of(best)),
        change: format::relative_change(of(best) / of(drawn) - 1.0),
    };
    let mw = |value: f64| format::megawatts(value).to_string();
    let ms = |value: f64| format::milliseconds(value).to_string();
    vec![
        line("Racks with GPUs", &|p| f64::from(p.choice.racks), &format::exact),
        line("Power limit of a GPU", &|p| p.choice.cap_w, &watts),
        line("Output tokens a second", &|p| p.output_tokens_per_s, &|value| format::token_rate(value).to_string()),
        line("Facility power, everything busy", &|p| p.facility_mw, &mw),
        line("The same on the hottest hour", &|p| p.peak_mw, &mw),
        line("Tokens per facility megawatt", &|p| p.tokens_per_joule * 1e6, &|value| {
            format::tokens_per_megawatt(value).to_string()
        }),
        line("A million output tokens", &|p| p.usd_per_million, &|value| format::price_per_million(value).to_string()),
        line("Revenue a year for a contract megawatt", &|p| p.revenue_usd_per_mw_year, &|value| {
            format::money(value).to_string()
        }),
        line("Carbon of a million output tokens", &|p| p.carbon_g_per_million, &|value| {
            format::carbon_per_million(value).to_string()
        }),
        line("To build it", &|p| p.capex_usd, &|value| format::money(value).to_string()),
        line("First token, mean", &|p| p.ttft_ms, &ms),
        line("Between tokens, mean", &|p| p.tpot_ms, &ms),
    ]
}

/// A range of an axis that is looked at; none where all of it is.
pub type Brush = Option<(f64, f64)>;

/// Axes of the parallel coordinates: goals of the frontier, then what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// A goal.
    Goal(Goal),
    /// Racks.
    Racks,
    /// Power limit of a GPU.
    Cap,
    /// Water.
    Water,
    /// Draw on the hottest hour.
    Peak,
}

impl Coordinate {
    /// Those of a frontier.
    pub fn of(frontier: &[Goal]) -> Vec<Self> {
        frontier.iter().copied().map(Self::Goal).chain([Self::Racks, Self::Cap, Self::Water, Self::Peak]).collect()
    }

    /// Its name at the head of its axis.
    pub fn words(self) -> &'static str {
        match self {
            Self::Goal(Goal::Tokens) => "tokens a second",
            Self::Goal(Goal::TokensPerJoule) => "tokens a joule",
            Self::Goal(Goal::CostPerMillion) => "cost",
            Self::Goal(Goal::RevenuePerMegawatt) => "revenue a MW",
            Self::Goal(Goal::CarbonPerMillion) => "carbon",
            Self::Racks => "racks",
            Self::Cap => "limit of a GPU",
            Self::Water => "water",
            Self::Peak => "hottest hour",
        }
    }

    /// A point's value on it; water as drawn is none of the axis, and lies at its foot.
    pub fn value(self, point: &Point) -> f64 {
        match self {
            Self::Goal(goal) => goal.value(point),
            Self::Racks => f64::from(point.choice.racks),
            Self::Cap => point.choice.cap_w,
            Self::Water => point.choice.supply_c.unwrap_or(f64::NAN),
            Self::Peak => point.peak_mw,
        }
    }

    /// A value in words.
    pub fn figure(self, value: f64) -> String {
        match self {
            Self::Goal(goal) => goal_figure(goal, value).to_string(),
            Self::Racks => format::exact(value.round()),
            Self::Cap => watts(value),
            Self::Water => format::temperature(Temperature::from_celsius(value)).to_string(),
            Self::Peak => format::megawatts(value).to_string(),
        }
    }

    /// Both ends of the axis over these points; none where no point has a value.
    pub fn ends(self, points: &[Point]) -> Option<(f64, f64)> {
        let values = points.iter().map(|point| self.value(point)).filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        low.is_finite().then_some((low, high))
    }
}

/// Whether a point lies within every range that is looked at.
pub fn is_within(point: &Point, axes: &[Coordinate], brushes: &[Brush]) -> bool {
    axes.iter().zip(brushes).all(|(axis, brush)| {
        brush.is_none_or(|(low, high)| {
            let value = axis.value(point);
            // What an end was drawn to lies within it.
            let slack = 1e-9 * high.abs().max(low.abs());
            value >= low - slack && value <= high + slack
        })
    })
}

/// The frontier between its first two goals, with the design as drawn and the best as its ring; wide and narrow. Points that are
/// looked at stand out from the others.
pub fn frontier_picture(found: &Optimum, looked_at: &[bool], title: &str) -> (String, String) {
    let (Some(across), Some(up)) = (found.ask.frontier.first().copied(), found.ask.frontier.get(1).copied()) else {
        return (String::new(), String::new());
    };
    let at = |point: &Point| (across.value(point), up.value(point));
    let of = |wanted: bool| -> Vec<(f64, f64)> {
        let kept = found.answer.frontier.iter().zip(looked_at).filter(|(_, own)| **own == wanted);
        kept.map(|(point, _)| at(point)).collect()
    };
    let (inside, outside) = (of(true), of(false));
    let drawn = [at(&found.answer.drawn)];
    let mut clouds = vec![
        Cloud { name: "none beats these", role: Role::Tokens, points: &inside },
        Cloud { name: "as drawn", role: Role::Heat, points: &drawn },
    ];
    if !outside.is_empty() {
        clouds.push(Cloud { name: "outside the ranges", role: Role::Limit, points: &outside });
    }
    let (across_words, up_words) = (
        move |value: f64| goal_figure(across, value).to_string(),
        move |value: f64| goal_figure(up, value).to_string(),
    );
    let picture = Scatter {
        across: Axis { name: goal_axis(across), scale: Scale::Near, words: &across_words },
        up: Axis { name: goal_axis(up), scale: Scale::Near, words: &up_words },
        clouds: &clouds,
        curves: &[],
        chosen: found.answer.best.as_ref().map(at),
        diagonal: false,
    };
    (scatter(&picture, title), scatter_narrow(&picture, title))
}

/// Tokens of a megawatt against the power limit, with their band and the best choice.
pub fn dial_picture(found: &Optimum, title: &str) -> (String, String) {
    let line: Vec<(f64, f64, f64, f64)> =
        found.dial.iter().map(|turn| (turn.cap_w, turn.tokens_per_s_per_mw, turn.low, turn.high)).collect();
    let chosen = found.answer.best.as_ref().map(|best| (best.choice.cap_w, best.tokens_per_joule * 1e6));
    let (cap, rate) = (|value: f64| watts(value), |value: f64| format::token_rate(value).to_string());
    let picture = Scatter {
        across: Axis { name: "Power limit of a GPU", scale: Scale::Near, words: &cap },
        up: Axis { name: "Output tokens a second of a facility megawatt", scale: Scale::Linear, words: &rate },
        clouds: &[],
        curves: &[Curve { name: "racks as drawn, with the error band", role: Role::Tokens, points: &line }],
        chosen,
        diagonal: false,
    };
    (scatter(&picture, title), scatter_narrow(&picture, title))
}

/// What a limit leaves of work, by the fitted curves, beside what was measured.
pub fn cap_picture(title: &str) -> (String, String) {
    let curve = |phase: Phase| -> Vec<(f64, f64, f64, f64)> {
        let at = |step: u32| 0.2 + 0.8 * f64::from(step) / 40.0;
        (0..=40)
            .map(at)
            .map(|x| (x, CapCurve::FITTED.throughput_at_power(phase, x)))
            .map(|(x, y)| (x, y, y, y))
            .collect()
    };
    let points = |phase: Phase| -> Vec<(f64, f64)> {
        MEASURED.iter().filter(|own| own.phase == phase).map(|own| (own.power, own.throughput)).collect()
    };
    let (answers, prompts) = (curve(Phase::Decode), curve(Phase::Prefill));
    let (own_answers, own_prompts) = (points(Phase::Decode), points(Phase::Prefill));
    let share = |value: f64| format::percent(value).to_string();
    let picture = Scatter {
        across: Axis { name: "Board power, of what it draws without a limit", scale: Scale::Linear, words: &share },
        up: Axis { name: "Work, of what it does without a limit", scale: Scale::Linear, words: &share },
        clouds: &[
            Cloud { name: "answers, measured", role: Role::Tokens, points: &own_answers },
            Cloud { name: "arithmetic, measured", role: Role::Heat, points: &own_prompts },
        ],
        curves: &[
            Curve { name: "answers, fitted", role: Role::Tokens, points: &answers },
            Curve { name: "prompts, fitted", role: Role::Heat, points: &prompts },
        ],
        chosen: None,
        diagonal: false,
    };
    (scatter(&picture, title), scatter_narrow(&picture, title))
}

/// What the dial finds, in a sentence.
pub fn dial_finding(dial: &[DialPoint]) -> String {
    let best = dial.iter().max_by(|a, b| a.tokens_per_s_per_mw.total_cmp(&b.tokens_per_s_per_mw));
    match (best, dial.last()) {
        (Some(best), Some(last)) if best.tokens_per_s_per_mw > 0.0 => {
            let gain = format::relative_change(best.tokens_per_s_per_mw / last.tokens_per_s_per_mw - 1.0);
            let more = if gain.is_empty() { "no more".to_owned() } else { gain };
            format!(
                "A megawatt makes most tokens at {} a GPU: {}, {more} against the board’s own {}",
                watts(best.cap_w),
                format::tokens_per_megawatt(best.tokens_per_s_per_mw),
                watts(last.cap_w)
            )
        }
        _ => "No power limit lets these racks serve the model".to_owned(),
    }
}

/// A worth with its unit and sign.
pub fn worth_words(goal: Goal, gain: f64) -> String {
    let sign = if gain > 0.0 {
        "+"
    } else if gain < 0.0 {
        "−"
    } else {
        ""
    };
    if gain.abs() < 1e-9 { "nothing".to_owned() } else { format!("{sign}{}", goal_figure(goal, gain.abs())) }
}

/// Kilowatts of a GPU as counted.
pub fn kilowatts(kw: f64) -> String {
    format::power(Power::from_watts(kw * 1e3)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(racks: u32, tokens: f64) -> Point {
        let choice = Choice { racks, cap_w: 1000.0, supply_c: None, redundancy: None };
        Point {
            choice,
            gpus: racks * 72,
            output_tokens_per_s: tokens,
            band: [0.8, 1.2],
            facility_mw: 1.0,
            peak_mw: 1.1,
            tokens_per_joule: tokens / 1e6,
            usd_per_million: 1.0,
            revenue_usd_per_mw_year: 1e6,
            carbon_g_per_million: 100.0,
            capex_usd: 1e6,
            ttft_ms: 100.0,
            tpot_ms: 10.0,
            short: Vec::new(),
        }
    }

    #[test]
    fn a_question_names_two_or_three_goals_and_tells_what_it_can_not_read() {
        let of = |query: &str| {
            let pairs: Vec<(String, String)> = query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            OptimumQuestion::of(|key| pairs.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone()))
        };
        assert_eq!(of("").ask, OptimumAsk::default());
        let asked = of("goal=cost-per-million&against=tokens&third=carbon-per-million&power=80&capex=100&ttft=").ask;
        assert_eq!(asked.frontier, [Goal::CostPerMillion, Goal::Tokens, Goal::CarbonPerMillion]);
        assert_eq!(
            (asked.limits.power_mw, asked.limits.capex_usd, asked.limits.ttft_ms),
            (Some(80.0), Some(1e8), None)
        );
        assert_eq!(of("goal=tokens&against=tokens").ask.frontier, [Goal::Tokens, Goal::TokensPerJoule]);
        let misread = of("goal=fame&power=-1").misread;
        assert_eq!(misread.len(), 2, "{misread:?}");
        assert!(misread[1].to_string().contains("No limit is used instead"), "{}", misread[1]);
    }

    #[test]
    fn ranges_keep_what_lies_in_all_of_them() {
        let points = [point(1, 10.0), point(2, 20.0), point(3, 30.0)];
        let axes = [Coordinate::Racks, Coordinate::Goal(Goal::Tokens)];
        let kept = |brushes: [Brush; 2]| points.iter().filter(|p| is_within(p, &axes, &brushes)).count();
        assert_eq!(kept([None, None]), 3);
        assert_eq!(kept([Some((2.0, 3.0)), None]), 2);
        assert_eq!(kept([Some((2.0, 3.0)), Some((0.0, 20.0))]), 1);
        assert_eq!(Coordinate::Racks.ends(&points), Some((1.0, 3.0)));
        assert_eq!(Coordinate::Water.ends(&points), None);
    }
}
