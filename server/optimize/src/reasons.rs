//! Why the best is the best: what stops one more rack and one more watt, and what more of each limit would be worth.

use crate::base::{Base, Choices};
use crate::search::optimize;
use model::optimum::{Choice, Goal, Point, Reasons, Worth};
use model::quantity::{Power, Span, Temperature};

/// More of a limit, for which a worth is asked.
#[derive(Clone, Copy)]
enum More {
    Contract,
    Feeds,
    Cooling,
    WarmerWater,
    Positions,
    FirstToken,
    BetweenTokens,
}

impl More {
    const ALL: [Self; 7] = [
        Self::Contract,
        Self::Feeds,
        Self::Cooling,
        Self::WarmerWater,
        Self::Positions,
        Self::FirstToken,
        Self::BetweenTokens,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Contract => "1 MW more in the power contract",
            Self::Feeds => "1 MW more of each group of the power tree",
            Self::Cooling => "1 MW more of heat that each loop can move and reject",
            Self::WarmerWater => "1 °C warmer water accepted by racks",
            Self::Positions => "one rack position more in each hall",
            Self::FirstToken => "100 ms longer to the first token",
            Self::BetweenTokens => "1 ms longer between tokens",
        }
    }
}

/// Of the best choice of a search.
pub fn reasons(base: &Base, choices: &Choices, goal: Goal, best: &Point) -> Reasons {
    let next = |choice: Choice| base.point(&choice).short;
    let mut binds = next(Choice { racks: best.choice.racks + 1, ..best.choice });
    for short in next(Choice { cap_w: best.choice.cap_w + 1.0, ..best.choice }) {
        if !binds.iter().any(|own| own.limit == short.limit && own.place == short.place) {
            binds.push(short);
        }
    }
    let mut worth: Vec<Worth> = More::ALL
        .into_iter()
        .filter_map(|more| {
            let (wider, choices) = base.with_more(more, choices);
            let found = optimize(&wider, &choices, goal, &[]).best?;
            Some(Worth { what: more.words().to_owned(), gain: goal.value(&found) - goal.value(best) })
        })
        .collect();
    worth.sort_by(|a, b| b.gain.abs().total_cmp(&a.gain.abs()));
    Reasons { binds, worth, band: goal.band(best) }
}

impl Base {
    /// The same ground with more of a limit; and the choices that this opens.
    fn with_more(&self, more: More, choices: &Choices) -> (Self, Choices) {
        let (mut wider, mut choices) = (self.clone(), choices.clone());
        let megawatt = Power::from_megawatts(1.0);
        let site = wider.ground();
        match more {
            More::Contract => site.contract_power += megawatt,
            More::Feeds => {
                for node in &mut site.power {
                    node.rated_power += megawatt / node.redundancy.firm_units(node.units).max(1.0);
                }
            }
            More::Cooling => {
                for each in &mut site.loops {
                    let groups = [Some(&mut each.terminal), each.rejection.as_mut(), each.chiller.as_mut()];
                    for group in groups.into_iter().flatten() {
                        group.part.heat_capacity += megawatt / group.firm_units().max(1.0);
                    }
                }
            }
            More::WarmerWater => {
                for each in &mut site.loops {
                    each.supply_max = Temperature::from_celsius(each.supply_max.as_celsius() + 1.0);
                }
                let warmest = choices.supplies_c.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
                if warmest.is_finite() {
                    choices.supplies_c.push(Some(warmest + 1.0));
                }
            }
            More::Positions => {
                wider.more_positions();
                let most = choices.racks.last().copied().unwrap_or(0);
                choices.racks.extend(most + 1..=wider.racks_most());
            }
            More::FirstToken => site.service.ttft += Span::from_seconds(0.1),
            More::BetweenTokens => site.service.tpot += Span::from_seconds(0.001),
        }
        (wider, choices)
    }
}
