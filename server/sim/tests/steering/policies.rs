//! Policies: the public topology as it must be answered, who wins, and what is refused.

use sim::steering::fixture::{HOSTS, sdk_ladder, sdk_topology};
use sim::steering::policy::{Bundle, Policies, Refusal, Target, activate};
use sim::steering::tree::{Limit, Node, Tree, Unit};
use sim::steering::work::Work;

const NO_WORK: fn(&str) -> Option<&'static Work> = |_| None;

/// All 144 hosts at 5,600 W are 806.4 kW of 750. With the rest at 1,600 W, 129 fit at 5,600: 129 · 5,600 + 15 · 1,600 =
/// 746,400 W, and of the 3,600 W left two more hosts rise to 3,200 W. With the rest at 3,200 W, 120 fit.
#[test]
fn golden_all_high_on_the_public_topology_is_refused_with_what_fits() {
    let (tree, ladder) = (sdk_topology(), sdk_ladder());
    let refusal = activate(&tree, &Policies::all(ladder[0].clone()), &ladder, NO_WORK).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Utility (utility) would be provisioned 806,400 W of 750,000 W: 56,400 W too many; at most 129 at high, 2 at medium, \
         13 at low (749,600 W) fit, or 120 at high, 24 at medium (748,800 W)"
    );
    let Refusal::Over { mixes, .. } = refusal else { panic!("{refusal}") };
    for (mix, fits) in [(mixes.most_high, [129, 2, 13]), (mixes.next_lower.unwrap(), [120, 24, 0])] {
        assert_eq!(mix.hosts.iter().map(|(_, hosts)| *hosts).collect::<Vec<_>>(), fits);
        assert_eq!(mix.hosts.iter().map(|(_, hosts)| hosts).sum::<u32>(), HOSTS);
    }
    for lower in &ladder[1..] {
        assert!(activate(&tree, &Policies::all(lower.clone()), &ladder, NO_WORK).is_ok(), "{lower:?}");
    }
}

/// What a refusal names can be activated, and one host more at the highest can't.
#[test]
fn the_mix_that_is_named_is_the_largest() {
    let (tree, ladder) = (sdk_topology(), sdk_ladder());
    let with = |high: u32, medium: u32| {
        let mut policies = Policies::all(ladder[2].clone());
        for (index, host) in (0..).zip(tree.hosts()).take((high + medium) as usize) {
            policies.entities.insert(host.node, ladder[usize::from(index >= high)].clone());
        }
        activate(&tree, &policies, &ladder, NO_WORK)
    };
    let fits = with(129, 2).unwrap();
    assert!((fits.flow.input_w[0] - 749_600.0).abs() < 1e-6);
    // Nothing is lost on the way down: what goes into the utility goes into the floor PDUs.
    assert!((fits.flow.input_w[2..6].iter().sum::<f64>() - 749_600.0).abs() < 1e-6);
    for (high, medium) in [(130, 0), (129, 3)] {
        assert!(with(high, medium).is_err(), "{high} {medium}");
    }
}

/// A floor PDU that binds before the utility is the one that is named; power factor and losses count.
#[test]
fn limits_in_volt_amperes_and_losses_count() {
    let (tree, ladder) = (sdk_topology(), sdk_ladder());
    let mut nodes: Vec<Node> = tree.nodes().to_vec();
    // 36 hosts at 3,200 W are 115.2 kW: within 128 kVA as it is, and not at a power factor of 0.85.
    nodes[2].limit = Limit { value: 128e3, unit: Unit::VoltAmperes, power_factor: 1.0 };
    let medium = Policies::all(ladder[1].clone());
    let activated = |nodes: &[Node]| {
        let tree = Tree::new(nodes.to_vec(), tree.hosts().to_vec()).unwrap();
        activate(&tree, &medium, &ladder, NO_WORK)
    };
    assert!(activated(&nodes).is_ok());
    nodes[2].limit.power_factor = 0.85;
    let Err(Refusal::Over { node, over_w, .. }) = activated(&nodes) else { panic!("it fits") };
    assert_eq!(node, "FloorPDU-1");
    assert!((over_w - (115_200.0 - 108_800.0)).abs() < 1e-6, "{over_w}");
    nodes[2].limit.power_factor = 0.95;
    assert!(activated(&nodes).is_ok());
    (nodes[2].rated_w, nodes[2].loss.b) = (128e3, 0.06);
    let Err(Refusal::Over { node, provisioned_w, .. }) = activated(&nodes) else { panic!("losses are left out") };
    assert_eq!(node, "FloorPDU-1");
    assert!((provisioned_w - 115_200.0 * 1.06).abs() < 1e-6, "{provisioned_w}");
}

#[test]
fn the_nearest_policy_wins() {
    let tree = sdk_topology();
    let mut policies = Policies::all(Bundle::FullPower);
    let of = |policies: &Policies, host: usize| policies.of(&tree, &tree.hosts()[host]).name().to_owned();
    assert_eq!(of(&policies, 0), "full power");
    policies.groups.insert("all".to_owned(), Bundle::Efficient);
    assert_eq!(of(&policies, 0), "efficiency target");
    // Rack 1 is node 6; its first host is host 0, rack 2's is host 18.
    policies.entities.insert(6, Bundle::Sustained { target: Target::Watts(900.0) });
    assert_eq!((of(&policies, 0), of(&policies, 18)), ("sustained target".to_owned(), "efficiency target".to_owned()));
    policies.entities.insert(tree.hosts()[0].node, sdk_ladder()[2].clone());
    assert_eq!((of(&policies, 0), of(&policies, 1)), ("low".to_owned(), "sustained target".to_owned()));
}

#[test]
fn a_policy_below_what_a_gpu_accepts_is_refused() {
    let tree = sdk_topology();
    let low = Bundle::HostLimit { name: "lowest".to_owned(), watts: 1_200.0 };
    let refusal = activate(&tree, &Policies::all(low), &sdk_ladder(), NO_WORK).unwrap_err();
    assert_eq!(refusal.to_string(), "gb300-001: \"lowest\" allows each GPU 300 W, and none accepts a cap under 400 W");
}
