//! What steering does where nothing goes wrong: under-users lend, priorities hold, what was taken is given back.

use crate::common::{Chance, Steered, any_tree};
use proptest::prelude::*;
use sim::steering::controller::{Settings, Start};
use sim::steering::plant::Trouble;
use sim::steering::policy::Allowance;
use sim::steering::tree::{Host, Level, Limit, Node, Tree};

/// Two hosts of one GPU each, 200 to 1,000 W, under one limit.
fn two(limit_w: f64, priorities: [u32; 2]) -> Tree {
    let node =
        |name: &str, level, watts, fed_by| Node::lossless(name.to_owned(), level, Limit::of_watts(watts), fed_by);
    let nodes = vec![
        node("rack", Level::Rack, limit_w, None),
        node("a", Level::Host, 5e3, Some(0)),
        node("b", Level::Host, 5e3, Some(0)),
    ];
    let host = |node: u32, priority| Host {
        node,
        group: "job".to_owned(),
        priority,
        fixed_w: 100.0,
        gpus: 1,
        cap_min_w: 200.0,
        cap_max_w: 1_000.0,
    };
    Tree::new(nodes, vec![host(1, priorities[0]), host(2, priorities[1])]).unwrap()
}

fn steered(tree: &Tree, policy_w: f64) -> Steered {
    let allowed = Allowance { policy_w, ceiling_w: 1_000.0, failsafe_w: 200.0 };
    Steered::new(tree, &[allowed; 2], Settings::default(), Start::Joined, (Trouble::NONE, 1))
}

fn settled(steered: &mut Steered, load_w: [f64; 2]) -> Vec<f64> {
    for _ in 0..20 {
        steered.step(&load_w);
    }
    steered.plant.caps_w()
}

#[test]
fn an_under_user_lends_what_it_leaves_and_has_it_back_when_it_needs_it() {
    // 1,400 W for the GPUs, 700 promised to each.
    let mut both = steered(&two(1_600.0, [0, 0]), 700.0);
    let caps = settled(&mut both, [900.0, 900.0]);
    assert!(caps.iter().all(|cap| (cap - 700.0).abs() < 1e-3), "{caps:?}");
    let caps = settled(&mut both, [300.0, 1_500.0]);
    // The one that draws 300 W keeps a tenth above it and whatever the other can't use.
    assert!((caps[1] - 1_000.0).abs() < 1e-3 && (caps[0] - 400.0).abs() < 1e-3, "{caps:?}");
    let caps = settled(&mut both, [900.0, 900.0]);
    assert!(caps.iter().all(|cap| (cap - 700.0).abs() < 1e-3), "{caps:?}");
}

#[test]
fn what_is_drawn_is_told_at_every_node_beside_what_is_provisioned() {
    let mut both = steered(&two(1_600.0, [0, 0]), 700.0);
    settled(&mut both, [300.0, 600.0]);
    let told = both.step(&[300.0, 600.0]);
    assert_eq!(told.drawn_w, [1_100.0, 400.0, 700.0]);
    assert_eq!(told.worst_w, both.worst_w());
    assert!(told.worst_w[0] <= 1_600.0 && told.worst_w[0] > 1_590.0, "{told:?}");
}

#[test]
fn a_raise_waits_for_the_lowering_that_pays_for_it() {
    let mut both = steered(&two(1_600.0, [0, 0]), 700.0);
    settled(&mut both, [900.0, 900.0]);
    both.step(&[300.0, 900.0]);
    let told = both.step(&[300.0, 900.0]);
    assert!(told.lowered_w > 300.0 && told.raised_w < 1e-3, "{told:?}");
    let told = both.step(&[300.0, 900.0]);
    assert!(told.raised_w > 299.0, "{told:?}");
}

#[test]
fn a_cut_takes_from_the_highest_number_at_once_and_gives_back_whole() {
    let tree = two(1_600.0, [3, 7]);
    let mut both = steered(&tree, 700.0);
    settled(&mut both, [900.0, 900.0]);
    both.controller.set_limit(0, 1_200.0);
    let told = both.step(&[900.0, 900.0]);
    assert!((told.lowered_w - 400.0).abs() < 1e-3 && told.short.is_empty(), "{told:?}");
    assert!(both.worst_w()[0] <= 1_200.0);
    let caps = both.plant.caps_w();
    assert!((caps[0] - 700.0).abs() < 1e-3 && (caps[1] - 300.0).abs() < 1e-3, "{caps:?}");
    // Cut further than the less important can give: then the other pays as well.
    both.controller.set_limit(0, 900.0);
    both.step(&[900.0, 900.0]);
    let caps = both.plant.caps_w();
    assert!((caps[0] - 500.0).abs() < 1e-3 && (caps[1] - 200.0).abs() < 1e-3, "{caps:?}");
    both.controller.set_limit(0, 1_600.0);
    both.step(&[900.0, 900.0]);
    let caps = both.plant.caps_w();
    assert!(caps.iter().all(|cap| (cap - 700.0).abs() < 1e-3), "{caps:?}");
}

#[test]
fn a_start_at_unknown_caps_is_within_limits_once_hosts_have_answered_or_a_lease_is_over() {
    let tree = two(1_600.0, [0, 0]);
    let allowed = [Allowance { policy_w: 700.0, ceiling_w: 1_000.0, failsafe_w: 200.0 }; 2];
    let begin = |trouble| Steered::new(&tree, &allowed, Settings::default(), Start::Unknown, (trouble, 1));
    let mut heard = begin(Trouble::NONE);
    assert!(heard.worst_w()[0] > 1_600.0);
    for _ in 0..10 {
        heard.step(&[900.0, 900.0]);
        assert!(heard.worst_w()[0] <= 1_600.0);
    }
    let mut lost = begin(Trouble { lost: 1.0, ..Trouble::NONE });
    for interval in 1..20 {
        lost.step(&[900.0, 900.0]);
        assert!(interval < Settings::default().lease || lost.worst_w()[0] <= 1_600.0, "{interval}");
    }
    assert_eq!(lost.plant.caps_w(), [200.0, 200.0]);
}

#[test]
fn a_limit_below_what_hosts_need_at_least_is_told() {
    let mut both = steered(&two(1_600.0, [0, 1]), 700.0);
    settled(&mut both, [900.0, 900.0]);
    both.controller.set_limit(0, 500.0);
    let told = both.step(&[900.0, 900.0]);
    assert_eq!(both.plant.caps_w(), [200.0, 200.0]);
    assert!(told.short.len() == 1 && told.short[0].node == 0 && (told.short[0].by_w - 100.0).abs() < 1e-3, "{told:?}");
}

#[test]
fn who_is_not_heard_of_falls_to_the_fail_safe_cap_and_others_have_the_rest() {
    let tree = two(1_600.0, [0, 0]);
    let allowed = Allowance { policy_w: 700.0, ceiling_w: 1_000.0, failsafe_w: 350.0 };
    let mut both = Steered::new(&tree, &[allowed; 2], Settings::default(), Start::Joined, (Trouble::NONE, 1));
    settled(&mut both, [900.0, 900.0]);
    // From now on only the second host's words arrive.
    for _ in 0..20 {
        both.now += 1;
        let heard = both.plant.heard(both.now);
        let readings: Vec<_> = heard.readings.iter().filter(|reading| reading.host == 1).cloned().collect();
        let acks: Vec<_> = heard.acks.iter().filter(|ack| ack.host == 1).copied().collect();
        let heard = sim::steering::controller::Heard { readings: &readings, acks: &acks };
        both.controller.step(&heard);
        both.plant.take(both.now, both.controller.caps_w());
        both.plant.draw(both.now, &[900.0, 1_500.0]);
        assert!(both.worst_w()[0] <= 1_600.0);
    }
    let caps = both.plant.caps_w();
    assert!((caps[0] - 350.0).abs() < 1e-3 && (caps[1] - 1_000.0).abs() < 1e-3, "{caps:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Who gets less than it is promised and would use stands below a full node under which nobody less important has more
    /// than the least.
    #[test]
    fn law_priorities_hold_once_caps_have_settled(seed in any::<u64>()) {
        let mut chance = Chance::of(seed);
        let (tree, allowances) = any_tree(&mut chance);
        let allowances: Vec<Allowance> = allowances
            .iter()
            .zip(tree.hosts())
            .map(|(allowed, host)| Allowance { failsafe_w: host.cap_min_w, ..*allowed })
            .collect();
        let mut steered = Steered::new(&tree, &allowances, Settings::default(), Start::Joined, (Trouble::NONE, seed));
        // Everybody would use all that there is.
        let load = vec![2e3; tree.gpus()];
        for _ in 0..30 {
            steered.step(&load);
        }
        let caps = steered.plant.caps_w();
        let worst = steered.worst_w();
        let limits = tree.limits();
        let full = |node: u32| worst[node as usize] > limits[node as usize] * (1.0 - 1e-3);
        let above = |host: &Host| {
            std::iter::successors(Some(host.node), |at| tree.nodes()[*at as usize].fed_by).collect::<Vec<_>>()
        };
        for (at, host) in tree.hosts().iter().enumerate() {
            for gpu in tree.gpus_of(at).filter(|gpu| caps[*gpu] < allowances[at].policy_w - 1.0) {
                let fair = above(host).into_iter().filter(|node| full(*node)).any(|node| {
                    tree.hosts().iter().enumerate().all(|(other, of)| {
                        let less = of.priority > host.priority && above(of).contains(&node);
                        !less || tree.gpus_of(other).all(|gpu| caps[gpu] < of.cap_min_w + 1.0)
                    })
                });
                prop_assert!(fair, "host {at} has {} W of {} W", caps[gpu], allowances[at].policy_w);
            }
        }
    }
}
