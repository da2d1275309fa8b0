//! What the page of a power tree asks and draws: the address as a question, the tree as cells whose height is power, and its
//! charts over time.

use crate::asked::{Misread, Reading};
use crate::format;
use crate::replayed::{Drawn, ReplayChart, Time, chart};
use chart::Role;
use model::quantity::Power;
use model::steered::{SteerAsk, SteerDay, SteerPolicy, Steered, SteeredKind, SteeredNode};

/// A question to the steering, as the address holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct SteerQuestion {
    /// What is asked.
    pub ask: SteerAsk,
    /// What of the address could not be understood.
    pub misread: Vec<Misread>,
}

impl SteerQuestion {
    /// The question of an address, by its keys.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let unasked = SteerAsk::default();
        let mut read = Reading::new(get);
        let policies = SteerPolicy::ALL.map(|policy| (policy.name(), policy));
        let policy = |text: &str| SteerPolicy::ALL.into_iter().find(|policy| policy.name() == text);
        let days = [("bad", SteerDay::Bad), ("calm", SteerDay::Calm)];
        let day = |text: &str| days.into_iter().find(|(name, _)| *name == text).map(|(_, day)| day);
        let ask = SteerAsk {
            limit_mw: read.optional(("limit", "Power at most, MW"), 1e-6..=1e5),
            policy: read.one_of(("policy", "Policy"), &policies, policy, unasked.policy),
            load: read.number(("load", "Mean load, %"), 0.0..=100.0, unasked.load * 100.0) / 100.0,
            event: read.number(("event", "Grid event, % of the limit"), 1.0..=100.0, unasked.event * 100.0) / 100.0,
            day: read.one_of(("day", "The day is"), &days, day, unasked.day),
            seed: u64::from(read.count(("seed", "Seed"), u32::MAX, unasked.seed as u32)),
        };
        Self { ask, misread: read.misread() }
    }
}

/// A cell of the tree's picture, in shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Index of its node.
    pub node: usize,
    /// Left end.
    pub left: f64,
    /// Width.
    pub wide: f64,
    /// Upper end.
    pub top: f64,
    /// Height: what would go into it with every GPU at its own limit, over the same of the root.
    pub high: f64,
}

/// The tree as cells, feeding nodes left of what they feed, each as high as its share of full power.
pub fn cells(nodes: &[SteeredNode]) -> Vec<Cell> {
    let depth = depths(nodes);
    let columns = depth.iter().max().map_or(1, |most| most + 1);
    let wide = 1.0 / columns as f64;
    let whole = nodes.first().map_or(1.0, |root| root.full_w).max(1e-9);
    let mut tops = vec![0.0; nodes.len()];
    // Where the next thing that a node feeds begins.
    let mut next = vec![0.0; nodes.len()];
    let mut cells = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let high = node.full_w / whole;
        if let Some(parent) = node.fed_by {
            tops[at] = next[parent as usize];
            next[parent as usize] += high;
        }
        next[at] = tops[at];
        let is_end = node.what == SteeredKind::Racks || node.what == SteeredKind::Fixed;
        let left = depth[at] as f64 * wide;
        // What feeds nothing reaches to the right end, so that nothing looks unfed.
        let wide = if is_end { 1.0 - left } else { wide };
        cells.push(Cell { node: at, left, wide, top: tops[at], high });
    }
    cells
}

/// Steps from the root.
pub fn depths(nodes: &[SteeredNode]) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::with_capacity(nodes.len());
    for node in nodes {
        depths.push(node.fed_by.map_or(0, |parent| depths[parent as usize] + 1));
    }
    depths
}

/// The answer in a sentence.
pub fn headline(steered: &Steered) -> String {
    let limit = power(steered.limit_w);
    let Some(policy) = &steered.policy else {
        let left = if steered.ask.event < 1.0 { " with such a grid event" } else { "" };
        return format!("{limit}{left} can’t carry these racks even at their lowest limits.");
    };
    let count = steered.frames.len().max(1) as f64;
    let made: f64 = steered.frames.iter().map(|frame| frame.tokens_per_s).sum::<f64>() / count;
    let asked: f64 = steered.frames.iter().map(|frame| frame.asked_tokens_per_s).sum::<f64>() / count;
    let share = format::percent(if asked > 0.0 { made / asked } else { 1.0 });
    let kept = if steered.breaches == 0 && steered.meeting > 0 {
        "but for the moments in which a cut is met, no node is ever above its limit"
    } else if steered.breaches == 0 {
        "no node is ever above its limit"
    } else {
        "A NODE WAS ABOVE ITS LIMIT: this is a defect of ours"
    };
    format!("Under “{policy}” within {limit}, {share} of the tokens that are asked for are made, and {kept}.")
}

/// Watts in words.
pub fn power(watts: f64) -> String {
    format::power(Power::from_watts(watts)).to_string()
}

/// What a node is, in a word.
pub fn what(node: &SteeredNode) -> String {
    match node.what {
        SteeredKind::Contract => "contract".to_owned(),
        SteeredKind::Group => "power group".to_owned(),
        SteeredKind::Racks => format!("{}, steered", format::things(node.racks, "rack", "racks")),
        SteeredKind::Fixed => "not steered".to_owned(),
    }
}

/// What limits of GPUs did, in a sentence.
fn limits_found(low: &[f64], high: &[f64]) -> String {
    let apart = low.iter().zip(high).map(|(low, high)| high - low).fold(0.0, f64::max);
    if apart < 1.0 {
        "Every GPU has the same limit, whatever it uses".to_owned()
    } else {
        format!("Limits differ by up to {}: racks that use less lend to those held back", power(apart))
    }
}

/// Nodes from the root, each before what it feeds and beside its own.
pub fn order(nodes: &[SteeredNode]) -> Vec<usize> {
    let mut order = Vec::with_capacity(nodes.len());
    let mut open: Vec<usize> = (0..nodes.len()).rev().filter(|at| nodes[*at].fed_by.is_none()).collect();
    while let Some(at) = open.pop() {
        order.push(at);
        open.extend((0..nodes.len()).rev().filter(|other| nodes[*other].fed_by == Some(at as u32)));
    }
    order
}

/// The facility over time: watts, limits of GPUs, tokens.
pub fn charts(steered: &Steered) -> Vec<ReplayChart> {
    let column =
        |of: &dyn Fn(&model::steered::SteeredFrame) -> f64| steered.frames.iter().map(of).collect::<Vec<f64>>();
    let time =
        Time { span_s: steered.frames.len() as f64 * steered.interval_s, bin_s: steered.interval_s, happened: &[] };
    let (limit, worst, drawn) = (column(&|f| f.limit_w), column(&|f| f.capped_w[0]), column(&|f| f.drawn_w[0]));
    let (low, mean, high) = (column(&|f| f.caps_w[0]), column(&|f| f.caps_w[1]), column(&|f| f.caps_w[2]));
    let (made, asked) = (column(&|f| f.tokens_per_s), column(&|f| f.asked_tokens_per_s));
    let room = steered.frames.iter().map(|f| f.limit_w - f.capped_w[0]).fold(f64::INFINITY, f64::min);
    let watts = |value: f64| format::power(Power::from_watts(value));
    vec![
        chart(
            "The facility's power",
            if room >= 0.0 {
                format!("At worst the facility stays {} below its limit", power(room))
            } else {
                format!("The worst case is {} above a limit that was just cut, until it is met", power(-room))
            },
            time,
            &[
                Drawn { name: "limit", role: Role::Limit, values: &limit },
                Drawn { name: "capped", role: Role::Fourth, values: &worst },
                Drawn { name: "drawn", role: Role::Power, values: &drawn },
            ],
            watts,
        ),
        chart(
            "Limits of GPUs",
            limits_found(&low, &high),
            time,
            &[
                Drawn { name: "highest", role: Role::Limit, values: &high },
                Drawn { name: "mean", role: Role::Power, values: &mean },
                Drawn { name: "lowest", role: Role::Heat, values: &low },
            ],
            watts,
        ),
        chart(
            "Tokens",
            "What is asked for, and what is made of it".to_owned(),
            time,
            &[
                Drawn { name: "asked", role: Role::Limit, values: &asked },
                Drawn { name: "made", role: Role::Tokens, values: &made },
            ],
            format::token_rate,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, what: SteeredKind, fed_by: Option<u32>, full_w: f64) -> SteeredNode {
        SteeredNode { name: name.to_owned(), what, fed_by, racks: 1, limit_w: full_w, full_w, provisioned_w: full_w }
    }

    #[test]
    fn cells_lie_within_what_feeds_them_and_do_not_overlap() {
        let nodes = [
            node("utility", SteeredKind::Contract, None, 100.0),
            node("main", SteeredKind::Group, Some(0), 90.0),
            node("house", SteeredKind::Fixed, Some(0), 10.0),
            node("a", SteeredKind::Racks, Some(1), 50.0),
            node("b", SteeredKind::Racks, Some(1), 30.0),
        ];
        let cells = cells(&nodes);
        for (cell, node) in cells.iter().zip(&nodes) {
            if let Some(parent) = node.fed_by {
                let parent = cells[parent as usize];
                assert!(cell.top >= parent.top - 1e-12 && cell.top + cell.high <= parent.top + parent.high + 1e-12);
                assert!((cell.left - parent.left - parent.wide).abs() < 1e-12);
            }
        }
        assert!((cells[4].top - 0.5).abs() < 1e-12 && (cells[2].top - 0.9).abs() < 1e-12);
        assert!((cells[3].left + cells[3].wide - 1.0).abs() < 1e-12);
        assert_eq!(depths(&nodes), [0, 1, 1, 2, 2]);
        assert_eq!(order(&nodes), [0, 1, 3, 4, 2]);
    }

    #[test]
    fn a_question_is_of_its_address() {
        let get = |key: &str| match key {
            "limit" => Some("80".to_owned()),
            "policy" => Some("efficient".to_owned()),
            "load" => Some("60".to_owned()),
            "day" => Some("calm".to_owned()),
            _ => None,
        };
        let ask = SteerQuestion::of(get).ask;
        assert_eq!((ask.limit_mw, ask.policy, ask.day), (Some(80.0), SteerPolicy::Efficient, SteerDay::Calm));
        assert!((ask.load - 0.6).abs() < 1e-12 && (ask.event - 1.0).abs() < 1e-12);
        assert_eq!(SteerQuestion::of(|_| None).ask, SteerAsk::default());
    }
}
