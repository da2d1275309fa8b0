//! A design's own tree under steering: nothing above a limit, tokens never above what is asked, and books that add up.

use model::site::Site;
use model::steered::{SteerAsk, SteerDay, SteerPolicy, Steered, SteeredKind};
use sim::steering::site::{INTERVALS, steered};

fn site(name: &str) -> Site {
    let text = catalog::designs().iter().find(|design| design.id == name).unwrap().text;
    sim::resolve(&catalog::parse_design(name, text).unwrap(), &catalog::catalog().unwrap()).unwrap()
}

fn run(name: &str, ask: SteerAsk) -> Steered {
    steered(&site(name), &ask).unwrap()
}

fn tokens(told: &Steered) -> f64 {
    told.frames.iter().map(|frame| frame.tokens_per_s).sum::<f64>() / told.frames.len() as f64
}

#[test]
fn a_design_is_kept_within_its_limits_whatever_happens() {
    let mut lent = 0;
    for (name, full_mw) in [("superpod-gb200-su", 2.0), ("hgx-b200-5mw", 5.0), ("tower-50mw", 50.0)] {
        for (share, event, day, seed) in [
            (1.0, 1.0, SteerDay::Calm, 1),
            (0.8, 1.0, SteerDay::Bad, 2),
            (0.85, 0.9, SteerDay::Calm, 3),
            (0.9, 0.85, SteerDay::Bad, 4),
        ] {
            let ask = SteerAsk { limit_mw: Some(full_mw * share), event, day, seed, ..SteerAsk::default() };
            let told = run(name, ask);
            if told.policy.is_none() {
                assert!(told.frames.is_empty() && !told.refused.is_empty(), "{name}: no policy, and no reason");
                continue;
            }
            assert_eq!(told.frames.len(), INTERVALS as usize);
            assert_eq!(told.breaches, 0, "{name} at {share}");
            assert!(day == SteerDay::Bad || told.meeting <= 1, "{name}: a cut that all hear is met at once");
            lent += told.frames.iter().filter(|frame| frame.caps_w[2] > frame.caps_w[0] + 5.0).count();
            for frame in &told.frames {
                assert!(frame.tokens_per_s <= frame.asked_tokens_per_s * (1.0 + 1e-9));
                for (drawn, capped) in frame.drawn_w.iter().zip(&frame.capped_w) {
                    assert!(drawn <= &(capped * (1.0 + 1e-9)), "{name}: drawn above the worst case");
                }
                assert!(frame.caps_w[0] <= frame.caps_w[1] && frame.caps_w[1] <= frame.caps_w[2]);
            }
        }
    }
    assert!(lent > 500, "hardly anything was ever lent: {lent} intervals");
}

#[test]
fn what_feeds_carries_what_it_feeds_and_its_losses() {
    let told = run("superpod-gb200-su", SteerAsk::default());
    let feeds = |at: usize, of: &[f64]| -> f64 {
        let fed = told.nodes.iter().zip(of).filter(|(node, _)| node.fed_by == Some(at as u32));
        fed.map(|(_, watts)| *watts).sum()
    };
    for frame in told.frames.iter().step_by(30) {
        for (at, node) in told.nodes.iter().enumerate() {
            let (into, out) = (frame.drawn_w[at], feeds(at, &frame.drawn_w));
            match node.what {
                SteeredKind::Contract => assert!((into - out).abs() < 1e-6 * into, "the contract loses nothing"),
                SteeredKind::Group => assert!(into >= out && into < out * 1.2 + 1e5, "{}: {into} of {out}", node.name),
                SteeredKind::Racks | SteeredKind::Fixed => assert!(out.abs() < 1e-9),
            }
        }
    }
    let racks: u32 = told.nodes.iter().map(|node| node.racks).sum();
    assert_eq!(racks, 8);
}

/// A lower policy promises less, a tighter limit makes no more, and what can't be carried falls back and says why.
#[test]
fn policies_go_down_and_tell_why() {
    let at = |limit_mw: f64, policy: SteerPolicy| {
        run(
            "superpod-gb200-su",
            SteerAsk { limit_mw: Some(limit_mw), policy, day: SteerDay::Calm, ..SteerAsk::default() },
        )
    };
    let full = at(2.0, SteerPolicy::FullPower);
    let provisioned = |told: &Steered| told.nodes[0].provisioned_w;
    assert_eq!(full.policy.as_deref(), Some("full power"));
    let sustained = at(2.0, SteerPolicy::Sustained);
    assert!(provisioned(&sustained) < provisioned(&full) && provisioned(&full) <= full.nodes[0].full_w);
    let tight = at(provisioned(&full) / 1e6 * 0.97, SteerPolicy::FullPower);
    assert!(
        tight.policy.as_deref() != Some("full power") && tight.refused[0].contains("utility"),
        "{:?}",
        tight.refused
    );
    assert!(tokens(&tight) <= tokens(&full) * (1.0 + 1e-9));
    let none = at(0.2, SteerPolicy::Sustained);
    assert!(none.policy.is_none() && none.frames.is_empty() && none.refused.len() == 2);
}

/// Never less than the other ways to spend the same power on the same racks.
#[test]
fn no_other_way_to_spend_the_power_makes_more() {
    for name in ["superpod-gb200-su", "hgx-b200-5mw", "mi355x-10mw"] {
        let contract = site(name).contract_power.as_megawatts();
        for share in [0.6, 0.75, 0.9] {
            let told = run(name, SteerAsk { limit_mw: Some(contract * share), ..SteerAsk::default() });
            let Some((ours, others)) = told.ways.split_last() else { panic!("no ways") };
            for other in others {
                assert!(
                    ours.tokens_per_s >= other.tokens_per_s * (1.0 - 1e-9),
                    "{name} at {share}: {} makes more",
                    other.name
                );
            }
        }
    }
}
